export default defineEventHandler(async (event) => {
  const { userId } = event.context.auth;
  const { note } = await readBody(event);
  notes.set(userId, [...(notes.get(userId) ?? []), String(note)]);
  return null;
});
