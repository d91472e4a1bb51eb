// An Express app whose routes are checked by Zod and answered with the help of lodash.
const express = require('express');
const _ = require('lodash');
const { z } = require('zod');

const order = z.object({
  items: z.array(z.object({ name: z.string().min(1), price: z.number().positive() })),
  note: z.string().optional(),
});
const app = express();
app.use(express.json());
app.get('/', (_request, response) => {
  const { items } = order.parse({
    items: [
      { name: 'tea', price: 3 },
      { name: 'cake', price: 4 },
    ],
  });
  response.json({ total: _.sumBy(items, 'price'), names: _.map(items, 'name') });
});

module.exports = app;
