export default defineNuxtPlugin(() => void client);
