/** The greeting for serverless-offline: the same answer as the bench's own function. */
exports.handler = async () => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message: 'Hello, world!' }),
});
