<?php

declare(strict_types=1);

namespace Tokenpair;

/** Verifies tokenpair's access tokens. The specification is docs/verifier/README.md. */
final class Verifier
{
    private const INVALID = 'Token is invalid';

    public function __construct(
        private readonly string $issuer,
        private readonly string $audience,
        private readonly float $maxStaleness = 10,
        private readonly int $leeway = 30,
        private readonly int $clockTolerance = 60,
        private readonly string $profile = 'default',
    ) {
    }

    /**
     * Returns the claims of a request's token.
     *
     * @param string $path the file that the sidecar writes; its keys are in `$path.jwks.json`.
     * @return array<string, mixed>
     * @throws Refused
     */
    public function authenticate(?string $authorization, string $path): array
    {
        $token = self::readBearer($authorization);
        $file = RevocationFile::open($path);
        $body = @file_get_contents("$path.jwks.json");
        return $this->verify($token, $body === false ? null : new Keys($body), $file, microtime(true));
    }

    /** Returns the token of the header `Authorization`. @throws Refused */
    public static function readBearer(?string $header): string
    {
        $parts = preg_split('/[ \t]+/', trim($header ?? '', " \t"));
        if (strtolower($parts[0]) !== 'bearer') {
            throw new Refused(401, 'Authentication credentials were not provided.', 'not_authenticated');
        }
        if (count($parts) !== 2) {
            $message = 'Authorization header must contain two space-delimited values';
            throw new Refused(401, $message, 'bad_authorization_header');
        }
        return $parts[1];
    }

    /**
     * Returns the claims of a token that is valid now.
     *
     * @return array<string, mixed>
     * @throws Refused
     */
    public function verify(string $token, ?Keys $keys, RevocationFile $file, float $now): array
    {
        $isStale = $file->isStale($now, $this->maxStaleness);
        $isCurrent = $keys !== null && $keys->version === $file->keyVersion && !$isStale;
        $claims = $this->verifySignature($token, $keys, $isCurrent);
        $this->checkClaims($claims, (int) $now);
        if ($isStale) {
            throw new Refused(503);
        }
        self::require(!$file->isRevoked($claims), 'Token is blacklisted');
        return $claims;
    }

    /** @return array<string, mixed> */
    private function verifySignature(string $token, ?Keys $keys, bool $isCurrent): array
    {
        $parts = explode('.', $token);
        self::require(strlen($token) <= 8192 && count($parts) === 3);
        [$header, $payload, $signature] = array_map(self::decode(...), $parts);
        $header = self::parseObject($header);
        self::require(array_intersect(['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c'], self::names($header)) === []);
        $typ = array_key_exists('typ', $header) ? $header['typ'] : 'JWT';
        $types = $this->profile === 'rfc9068' ? ['jwt', 'at+jwt'] : ['jwt'];
        self::require(is_string($typ) && in_array(strtolower($typ), $types, true));
        self::require(is_string($header['alg'] ?? null) && self::isText($header['kid'] ?? null));
        $jwk = self::findKey($header['kid'], $keys, $isCurrent);
        self::require(Keys::verify($jwk, $header['alg'], "$parts[0].$parts[1]", $signature));
        return self::parseObject($payload);
    }

    /**
     * Returns the key with this name.
     *
     * @param bool $isCurrent whether an unknown key can't be a new one.
     * @return array<string, string>
     * @throws Refused
     */
    public static function findKey(string $kid, ?Keys $keys, bool $isCurrent): array
    {
        return $keys?->find($kid) ?? throw ($isCurrent && !$keys?->isEmpty() ? new Refused(401, self::INVALID) : new Refused(503));
    }

    /** @param array<string, mixed> $claims */
    private function checkClaims(array $claims, int $now): void
    {
        $has = fn (string $name): bool => array_key_exists($name, $claims);
        $latest = $now + $this->clockTolerance;
        foreach (['iat', 'nbf', 'exp'] as $name) {
            self::require(!$has($name) || self::isCount($claims[$name], 2 ** 53));
        }
        self::require($has('iat') && $claims['iat'] <= $latest && ($claims['nbf'] ?? 0) <= $latest);
        self::require(!$has('exp') || $now < $claims['exp'] + $this->leeway, 'Token is expired');
        $audiences = $claims['aud'] ?? null;
        $audiences = is_array($audiences) && array_is_list($audiences) ? $audiences : [$audiences];
        self::require(($claims['iss'] ?? null) === $this->issuer && in_array($this->audience, $audiences, true));
        self::require(array_filter($audiences, is_string(...)) === $audiences);
        self::require($has('exp'), "Token has no 'exp' claim");
        self::require($has('jti'), 'Token has no id');
        self::require($has('token_type'), 'Token has no type');
        self::require(self::isText($claims['token_type']));
        self::require($claims['token_type'] === 'access', 'Token has wrong type');
        self::require($has('user_id'), Refused::NO_USER);
        foreach (['user_id', 'sid', 'jti'] as $name) {
            self::require(self::isText($claims[$name] ?? null));
        }
        self::require(self::isCount($claims['ue'] ?? null, 2 ** 31) && self::isCount($claims['ge'] ?? null, 2 ** 32));
    }

    private static function require(bool $condition, string $message = self::INVALID): void
    {
        if (!$condition) {
            throw new Refused(401, $message);
        }
    }

    private static function isCount(mixed $value, int $limit): bool
    {
        return is_int($value) && $value >= 0 && $value < $limit;
    }

    private static function isText(mixed $value): bool
    {
        return is_string($value) && $value !== '' && !str_contains($value, "\0");
    }

    /** Decodes canonical base64url: its bytes must have no other text. */
    private static function decode(string $part): string
    {
        $bytes = base64_decode(strtr($part, '-_', '+/'), true);
        self::require($bytes !== false && $bytes !== '');
        self::require(rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=') === $part);
        return $bytes;
    }

    /** Parses a JSON object in which no name occurs twice. @return array<string, mixed> */
    private static function parseObject(string $json): array
    {
        $object = json_decode($json, false, 4096);
        self::require($object instanceof \stdClass);
        // json_decode keeps one of two members with the same name, so the object has fewer members than the text has colons.
        $outside = preg_replace('/"(?:[^"\\\\]|\\\\.)*+"/s', '', $json);
        self::require($outside !== null && self::countMembers($object) === substr_count($outside, ':'));
        return (array) json_decode($json, true, 4096);
    }

    private static function countMembers(mixed $value): int
    {
        $items = $value instanceof \stdClass ? get_object_vars($value) : (is_array($value) ? $value : []);
        $count = $value instanceof \stdClass ? count($items) : 0;
        return array_sum(array_map(self::countMembers(...), $items)) + $count;
    }

    /** Returns the names of the members: PHP makes a number of a name that consists of digits. @return list<string> */
    private static function names(array $object): array
    {
        return array_map(strval(...), array_keys($object));
    }
}
