/** What the audit log records, and for how long. */
export interface AuditSettings {
  /** How many days cleanup keeps the entries of the audit log. 0 turns the audit log off. Default: 90. */
  readonly auditRetention: number;
  /** Whether ordinary refreshes are recorded too. Each of them then adds a row. Default: false. */
  readonly auditRotations: boolean;
}

/** The webhook that reports detected reuse, new devices and new passwords. */
export interface WebhookSettings {
  /** The URL that messages are sent to: https, or http on this machine. Default: none. */
  readonly webhookUrl: string | undefined;
  /** The secret that signs messages: at least 24 random bytes in base64. The prefix `whsec_` is optional. Default: none. */
  readonly webhookSecret: string | undefined;
}
