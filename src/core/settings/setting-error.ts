/**
 * Thrown by `createAuth` if a setting is unknown, has a wrong value, or contradicts another one. The message says what is
 * wrong and what to do. It never holds a secret.
 *
 * @example
 * try {
 *   createAuth({ store, signingKey, accessTokenLifetime: 0.5 });
 * } catch (error) {
 *   if (error instanceof SettingError) console.error(error.message);
 * }
 */
export class SettingError extends TypeError {
  /** Always "SettingError". */
  override readonly name = "SettingError";
  /** The setting's name, such as "accessTokenLifetime". */
  readonly setting: string;

  /** Creates the error. `fault` completes a sentence that begins with the setting's name. */
  constructor(setting: string, fault: string) {
    super(`${setting} ${fault}`);
    this.setting = setting;
  }
}
