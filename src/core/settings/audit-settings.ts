/** What the audit log records, and for how long. */
export interface AuditSettings {
  /** For how many days cleanup keeps the entries of the audit log. 0 turns the audit log off. Default: 90. */
  readonly auditRetention: number;
  /** Whether ordinary refreshes are recorded too: one more row for each. Default: false. */
  readonly auditRotations: boolean;
}

/** The webhook that reports detected reuse, new devices and new passwords. */
export interface WebhookSettings {
  /** The URL that messages are sent to: https, or http on this machine. Default: none. */
  readonly webhookUrl: string | undefined;
  /** The secret that signs messages: at least 24 random bytes in base64, with or without `whsec_` in front. Default: none. */
  readonly webhookSecret: string | undefined;
}
