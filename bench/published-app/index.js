// The app as it runs without a platform: it says its port, and answers.
const app = require('./app.cjs');

const server = app.listen(0, '127.0.0.1', () => process.stdout.write(String(server.address().port)));
