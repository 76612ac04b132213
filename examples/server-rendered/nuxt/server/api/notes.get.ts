export default defineEventHandler(({ context: { auth } }) => ({
  userId: auth.userId,
  notes: notes.get(auth.userId) ?? [],
}));
