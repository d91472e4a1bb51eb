// The app as a function.
const serverless = require('serverless-http');

module.exports.handler = serverless(require('./app.cjs'));
