import type { Actions, PageServerLoad } from "./$types";

const notes = new Map<string, string[]>();

export const load: PageServerLoad = ({ locals: { auth } }) => ({
  userId: auth.userId,
  notes: notes.get(auth.userId) ?? [],
});

export const actions: Actions = {
  default: async ({ request, locals: { auth } }) => {
    const form = await request.formData();
    notes.set(auth.userId, [...(notes.get(auth.userId) ?? []), String(form.get("note"))]);
  },
};
