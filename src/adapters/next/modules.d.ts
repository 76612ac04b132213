/** The part of Next that the adapter uses: it is the application's own package, and isn't installed here. */
declare module "next/headers.js" {
  export function headers(): Promise<Headers>;
}

declare module "next/navigation.js" {
  export function redirect(url: string): never;
}

declare module "next/server.js" {
  export function connection(): Promise<void>;
}
