/** The greeting for functions-framework: the same answer as the bench's own function. */
exports.hello = (_request, response) => {
  response.json({ message: 'Hello, world!' });
};
