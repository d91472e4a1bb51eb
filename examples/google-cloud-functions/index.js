// Functions as Google documents them, registered with the functions framework. Its server is not started.
const functions = require('@google-cloud/functions-framework');

functions.http('helloHttp', (req, res) => {
  res.send(`Hello ${req.query.name || req.body.name || 'World'}!`);
});

functions.cloudEvent('helloEvent', (cloudEvent) => {
  console.log(`event ${cloudEvent.id} of type ${cloudEvent.type}`);
  return { took: cloudEvent.id, data: cloudEvent.data };
});
