export default defineEventHandler(async (event) => {
  const { userId } = event.context.auth;
  const { note } = await readBody(event);
  notes.set(userId, [...(notes.get(userId) ?? []), String(note)]);
  return sendRedirect(event, "/notes", 303); // for a browser that sends the form itself
});
