<?php

declare(strict_types=1);

namespace Tokenpair;

/** The public keys of a JWK Set, for ES256, RS256 and EdDSA. Add your issuer's algorithm if it is another one. */
final class Keys
{
    public readonly string $version;
    /** @var array<string, array<string, string>> */
    private array $byKid = [];

    public function __construct(string $body)
    {
        $this->version = substr(hash('sha256', $body), 0, 8);
        $set = json_decode($body, true);
        $count = [];
        foreach (is_array($set) && is_array($set['keys'] ?? null) ? $set['keys'] : [] as $jwk) {
            if (!is_array($jwk) || !is_string($jwk['kid'] ?? null) || $jwk['kid'] === '') {
                continue;
            }
            // A string of digits would become a number as the key of an array.
            $name = 'kid ' . $jwk['kid'];
            $count[$name] = ($count[$name] ?? 0) + 1;
            if (self::isUsable($jwk)) {
                $this->byKid[$name] = $jwk;
            }
        }
        // Of two keys with one name, neither is used.
        $this->byKid = array_filter($this->byKid, fn (string $name) => $count[$name] === 1, ARRAY_FILTER_USE_KEY);
    }

    /** Returns whether there is no key: then the set counts as one that can't be read. */
    public function isEmpty(): bool
    {
        return $this->byKid === [];
    }

    private static function isUsable(array $jwk): bool
    {
        if (($jwk['use'] ?? 'sig') !== 'sig') {
            return false;
        }
        $length = fn (string $name): int => is_string($jwk[$name] ?? null) ? strlen(self::decode($jwk[$name])) : 0;
        return match ([$jwk['alg'] ?? null, $jwk['kty'] ?? null, $jwk['crv'] ?? null]) {
            ['ES256', 'EC', 'P-256'] => $length('x') === 32 && $length('y') === 32
                && openssl_pkey_get_public(self::toEcPem($jwk)) !== false,
            ['EdDSA', 'OKP', 'Ed25519'] => $length('x') === 32,
            ['RS256', 'RSA', null] => $length('n') >= 256 && $length('e') > 0,
            default => false,
        };
    }

    /** Returns the key with this name, or null. @return array<string, string>|null */
    public function find(string $kid): ?array
    {
        return $this->byKid['kid ' . $kid] ?? null;
    }

    /** Returns whether a signature is a key's. @param array<string, string> $jwk */
    public static function verify(array $jwk, string $alg, string $signed, string $signature): bool
    {
        if ($alg !== ($jwk['alg'] ?? null)) {
            return false;
        }
        return match ([$alg, $jwk['kty'] ?? null, $jwk['crv'] ?? null]) {
            ['ES256', 'EC', 'P-256'] => strlen($signature) === 64
                && openssl_verify($signed, self::toDer($signature), self::toEcPem($jwk), OPENSSL_ALGO_SHA256) === 1,
            ['EdDSA', 'OKP', 'Ed25519'] => strlen($signature) === SODIUM_CRYPTO_SIGN_BYTES
                && sodium_crypto_sign_verify_detached($signature, $signed, self::decode($jwk['x'])),
            ['RS256', 'RSA', null] => strlen($signature) === strlen(self::decode($jwk['n']))
                && openssl_verify($signed, $signature, self::toRsaPem($jwk), OPENSSL_ALGO_SHA256) === 1,
            default => false,
        };
    }

    private static function toEcPem(array $jwk): string
    {
        // SubjectPublicKeyInfo of an uncompressed point on P-256.
        $prefix = hex2bin('3059301306072a8648ce3d020106082a8648ce3d030107034200');
        return self::toPem($prefix . "\x04" . self::decode($jwk['x']) . self::decode($jwk['y']));
    }

    private static function toRsaPem(array $jwk): string
    {
        $numbers = self::tag(0x30, self::integer(self::decode($jwk['n'])) . self::integer(self::decode($jwk['e'])));
        $algorithm = hex2bin('300d06092a864886f70d0101010500');
        return self::toPem(self::tag(0x30, $algorithm . self::tag(0x03, "\0" . $numbers)));
    }

    private static function toPem(string $der): string
    {
        return "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($der), 64, "\n") . "-----END PUBLIC KEY-----\n";
    }

    /** Turns r ‖ s into a SEQUENCE of two INTEGERs. */
    private static function toDer(string $signature): string
    {
        return self::tag(0x30, self::integer(substr($signature, 0, 32)) . self::integer(substr($signature, 32)));
    }

    private static function integer(string $bytes): string
    {
        $bytes = ltrim($bytes, "\0");
        return self::tag(0x02, $bytes === '' || ord($bytes[0]) > 0x7f ? "\0" . $bytes : $bytes);
    }

    private static function tag(int $tag, string $content): string
    {
        $length = strlen($content);
        $size = $length < 0x80 ? chr($length) : ($length < 0x100 ? "\x81" . chr($length) : "\x82" . pack('n', $length));
        return chr($tag) . $size . $content;
    }

    /** Decodes base64url of a trusted source. */
    private static function decode(string $text): string
    {
        return base64_decode(strtr($text, '-_', '+/'));
    }
}
