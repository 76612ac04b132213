/** Which text a rule looks at. An identifier is looked at in words: `endAllOf` as "end all of". */
export type TextKind = "prose" | "identifier";

/** A banned word or construction. */
export interface LanguageRule {
  /** Matches the banned text; the match is printed. */
  readonly banned: RegExp;
  /** What to write instead, printed after the match. */
  readonly use: string;
  /** Default: prose and identifiers. */
  readonly kinds?: readonly TextKind[];
}

const prose: readonly TextKind[] = ["prose"];

/** A word that begins the condition of "where it fails" or "where `work` throws". */
const subject =
  "(?:it|they|there|this|that|the|an?|no|none|any|not|neither|nothing|needed|possible|present|missing|another|only|all|both|too|one|two|we|you|he)(?!\\w)|`";

/** Words before "where" that make it a question or a place: "says where it is", "the page where the user logs in". */
const place =
  "(?:says?|said|knows?|shows?|tells?|finds?|sees?|names?|is|are|and|or|of|from|to|place|page|point|folder|directory|file|row|line|network|machine)";

/** A word after the comma of "Where it fails, everything is closed". */
const consequence =
  "(?:it|its|they|there|this|that|these|the|no|not|nothing|neither|each|every\\w*|one|two|too|we|you)(?!\\w)|`";

const determiner = "(?:an?|the|this|that|one|all|each|every|no|its|his|their|other|access|refresh|user's)";

const conditionalWhere = new RegExp(
  [
    `(?<!\\b${place}\\s)\\bwhere(?=\\s+(?:${subject}))`,
    "(?<=(?:`|\\b\\d)\\s+)where\\b",
    "(?<=@throws\\s[^.@]*?)\\bwhere\\b",
    "(?<=\\b(?:also|even|except|only|false|true|empty|absent)\\s+)where\\b",
    `\\bWhere(?=\\s[^.:;?,]*,\\s+(?:${consequence}))`,
  ].join("|"),
);

/** The list is short on purpose: words that have come back more than once. Each must be right nearly always. */
export const rules: readonly LanguageRule[] = [
  // Conditions and inverted sentences.
  { banned: conditionalWhere, use: '"if" for a condition, "when" for a time', kinds: prose },
  { banned: /\bas far as\b/i, use: '"if", "up to"', kinds: prose },
  {
    banned: /(?<!\bthere )\b(?:is|are|was|were) none\b/i,
    use: `"isn't one"`,
    kinds: prose,
  },
  {
    banned: /\b(?:that|which|it|value) (?:is|are|was) no (?!longer|more|less|such)/i,
    use: '"is not a …"',
    kinds: prose,
  },
  {
    banned: /\bwhat (?:is|was|are|were) \w+ed (?:is|was|are|were)\b/i,
    use: 'the subject first: "Refused requests are …"',
    kinds: prose,
  },
  { banned: /\bhowever (?:often|many|much|long|few)\b/i, use: '"no matter how often"', kinds: prose },
  { banned: /\bwhatever (?:can|could|may|might|is|was)\b/i, use: '"everything that"', kinds: prose },
  {
    banned: /\b(?:nothing|no|not|never)\b[^.:;]* (?<!\b(?:since|until|by) )then\.(?=\s|$)/i,
    use: '"In that case, nothing has changed."',
    kinds: prose,
  },
  { banned: /\b(?:an?|one) (?:\w+ ){1,3}of (?:its|their|your|my) own\b/i, use: '"its own …"', kinds: prose },
  { banned: /\bas (?:an?|the) \w+ do(?:es)? (?:that|which|who)\b/i, use: '"like a … that"', kinds: prose },
  { banned: /\b(?:has|have) to be\b/i, use: '"must be"', kinds: prose },
  { banned: /\bbe had\b/i, use: '"be obtained", "be opened"', kinds: prose },
  // Who does it.
  {
    banned: /\bwho(?:m|so)?ever\b/i,
    use: 'the actor: "the client", "the server", "you", "the operator"',
    kinds: prose,
  },
  { banned: /\b(?:no|some|any|every)body\b/i, use: 'the actor, "no client", "every user", "anyone"' },
  { banned: /\bone's own\b/i, use: "the actor", kinds: prose },
  { banned: /\bof (?:ours|our own)\b/i, use: `"tokenpair's", "our"`, kinds: prose },
  // Verbs and metaphors.
  { banned: /\btold\b|\btells? of\b/i, use: '"emitted", "logged", "reported", "says"' },
  { banned: /\b(?:hears?|heard)\b/i, use: '"receives", "listens to"' },
  { banned: /\b(?:im)?patien(?:ce|t)\b/i, use: '"timeout", "waits"' },
  { banned: /\b(?:stands?|stood)\b/i, use: '"is", "means"' },
  { banned: /\b(?:go|goes|went|going) on\b/i, use: '"continues"' },
  { banned: /\b(?:comes?|came|coming) back\b/i, use: '"returns"; for a spent token "is reused"' },
  { banned: /\blets? (?:in|out|nobody|no)\b/i, use: '"accepts", "allows"', kinds: prose },
  { banned: /\bbefall\w*|\bcrowd\w*|\bhouses?\b|\bdoors?\b/i, use: "the plain word: no metaphor for a mechanism" },
  { banned: /\bstrangers?\b|\bguessers?\b/i, use: '"an attacker", "another client"' },
  { banned: /\baskers?\b/i, use: '"the caller"' },
  { banned: /\b(?:who|that|which) asks?\b/i, use: '"that sends the request", "the caller"', kinds: prose },
  {
    banned: /\b(?:server|database|store|application|node|hook) (?:is|was|must be|can be|couldn't be) asked\b/i,
    use: '"is queried", "is called"',
    kinds: prose,
  },
  // Synonyms of glossary words.
  {
    // `process.kill` has no other name.
    banned: /\bkill(?<!^kill(?=$))\w*|\bdie[sd]?\b|\bdying\b|\bdeaths?\b|\bdead\b(?! (?:row|tuple)s?)/i,
    use: '"revoked", "expired", "stops"',
  },
  { banned: /\bblacklist\w*/i, use: '"revoke"' },
  { banned: new RegExp(`\\bend(?:s|ing)? (?:${determiner} ){0,3}(?:sessions?|tokens?)\\b`, "i"), use: '"revokes"' },
  { banned: /(?<!\b(?:possible|token) )\bthefts?\b/i, use: '"reuse detected"; in prose "possible theft"' },
  { banned: /\brenew\w*|\bexchang(?:e[sd]?|ing)\b/i, use: '"refresh"; the server "rotates"' },
  { banned: /\battempt ids?\b/i, use: '"idempotency key"' },
  { banned: /\bshed(?:s|ding)?\b/i, use: '"refuses", "throttled"' },
  { banned: /\bannounc(?!er)\w+/i, use: '"emit", "publish"' },
];

/** Text that others have defined and that we must repeat: simplejwt's paths, answers and settings. */
export const quotedTexts: readonly RegExp[] = [
  /(?<=^|[/"`])blacklist(?=$|[/"`])/gi,
  /\btoken[/ _-]?blacklist\b/gi,
  /\btoken is blacklisted\b/gi,
  /\bblacklist[ _]?(?:after[ _]?rotation|limit)\b/gi,
  /\bblacklist endpoint\b/gi,
  /\bblacklisted[ _]?(?:at|token)\b/gi,
  /\bsimplejwt's "blacklist(?:ed)?"/g,
];
