/**
 * The session as a ref of Vue. In a component:
 *
 *   <script setup lang="ts">
 *   const session = useSession(client);
 *   const user = computed(() => session.value.user);
 *   </script>
 *   <template>
 *     <p>{{ user ? `Hello ${user.username}` : "Please log in." }}</p>
 *   </template>
 *
 * In the guard of Vue Router:
 *
 *   router.beforeEach(async ({ meta }) => {
 *     if (meta.needsUser && (await client.ready()).status === "anonymous") return "/login";
 *   });
 */
import type { Client, SessionState } from "tokenpair/client";
import { onScopeDispose, readonly, type ShallowRef, shallowRef } from "vue";

/** Returns the client's session. The ref follows it until the component is unmounted. */
export function useSession<C>(client: Client<C>): Readonly<ShallowRef<SessionState<C>>> {
  const session = shallowRef(client.session());
  onScopeDispose(
    client.onChange((state) => {
      session.value = state;
    }),
  );
  return readonly(session) as Readonly<ShallowRef<SessionState<C>>>;
}
