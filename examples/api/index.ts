import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { type NoteText, Notes } from './notes.ts';
import { readNote } from './read-note.ts';

const notes = new Notes();
const app = new Hono();

app.get('/', (c) => c.json({ name: 'notes', routes: ['GET /notes', 'POST /notes', 'GET|PUT|DELETE /notes/:id'] }));

app.get('/notes', (c) => c.json({ notes: notes.list(c.req.query('tag')) }));

app.post('/notes', async (c) => {
  const note = notes.add(await noteIn(c.req.raw), new Date());
  return c.json(note, 201);
});

app.get('/notes/:id', (c) => c.json(notes.get(c.req.param('id')) ?? missing(c.req.param('id'))));

app.put('/notes/:id', async (c) => {
  const id = c.req.param('id');
  return c.json(notes.change(id, await noteIn(c.req.raw)) ?? missing(id));
});

app.delete('/notes/:id', (c) => {
  const id = c.req.param('id');
  return notes.remove(id) ? c.body(null, 204) : missing(id);
});

app.notFound((c) => c.json({ status: 404, detail: `there is no ${c.req.method} ${c.req.path}` }, 404));

app.onError((error, c) => {
  if (error instanceof HTTPException) return c.json({ status: error.status, detail: error.message }, error.status);
  console.error(error);
  return c.json({ status: 500, detail: 'the log has the details' }, 500);
});

async function noteIn(request: Request): Promise<NoteText> {
  const body: unknown = await request.json().catch(() => {
    throw new HTTPException(400, { message: 'the body is no JSON' });
  });
  const read = readNote(body);
  if (typeof read === 'string') throw new HTTPException(422, { message: read });
  return read;
}

function missing(id: string): never {
  throw new HTTPException(404, { message: `there is no note "${id}"` });
}

export default app;
