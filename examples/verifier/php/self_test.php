<?php

// Checks this verifier with the vectors: php self_test.php [path of vectors.json]. It has no connection, so it skips the
// vectors about frames that arrive one after another, and about their freshness.

declare(strict_types=1);

namespace Tokenpair;

require __DIR__ . '/Refused.php';
require __DIR__ . '/RevocationFile.php';
require __DIR__ . '/Keys.php';
require __DIR__ . '/Verifier.php';

$path = $argv[1] ?? __DIR__ . '/../../../docs/verifier/vectors.json';
$vectors = json_decode((string) file_get_contents($path), true);
$config = $vectors['configuration'];
$keys = new Keys($vectors['keys']['body']);
$count = $failures = 0;

function check(string $section, string $name, mixed $actual, mixed $expected): void
{
    global $count, $failures;
    $count++;
    if ($actual !== $expected) {
        $failures++;
        echo "$section: $name: got " . json_encode($actual) . ', expected ' . json_encode($expected) . "\n";
    }
}

/** Writes a frame as the sidecar does, $age seconds ago. */
function write(string $hex, int $age = 0): RevocationFile
{
    $file = (string) tempnam(sys_get_temp_dir(), 'tokenpair');
    file_put_contents($file, hex2bin($hex));
    touch($file, $GLOBALS['config']['now'] - $age);
    clearstatcache();
    try {
        return RevocationFile::open($file);
    } finally {
        unlink($file);
    }
}

/** @return array{int, ?string, ?array} the status, the message of a 401, and the claims */
function verify(array $changes, string $token, ?Keys $keys, RevocationFile $file): array
{
    $c = [...$GLOBALS['config'], ...$changes];
    $verifier = new Verifier($c['issuer'], $c['audience'], 10, $c['leeway'], $c['clockTolerance'], $c['accessTokenProfile']);
    try {
        return [200, null, $verifier->verify($token, $keys, $file, $c['now'])];
    } catch (Refused $refused) {
        return [$refused->status, $refused->status === 401 ? $refused->getMessage() : null, null];
    }
}

check('keys', 'version', $keys->version, $vectors['keys']['version']);

foreach ($vectors['authorization'] as $v) {
    try {
        $actual = Verifier::readBearer($v['header']);
    } catch (Refused $refused) {
        $actual = $refused->reason;
    }
    check('authorization', (string) $v['header'], $actual, $v['token'] ?? $v['code']);
}

$empty = $vectors['answers'][0]['table'];
foreach ($vectors['tokens'] as $v) {
    if (isset($v['configuration']['userIdClaim']) || !in_array($v['alg'] ?? 'ES256', ['ES256', 'EdDSA', 'RS256'], true)) {
        continue; // This verifier knows three algorithms, and the usual names of claims.
    }
    [$status, $message, $claims] = verify($v['configuration'] ?? [], $v['token'], $keys, write($empty));
    if ($v['result'] === 'refuse') {
        check('tokens', $v['name'], [$status, $message], [401, $v['message']]);
        continue;
    }
    $names = ['userId' => 'user_id', 'sessionId' => 'sid', 'tokenId' => 'jti', 'userEpoch' => 'ue', 'globalEpoch' => 'ge'];
    $actual = array_map(fn (string $name) => $claims[$name] ?? null, [...$names, 'expiresAt' => 'exp']);
    check('tokens', $v['name'], [$status, $actual], [200, $v['claims']]);
}

foreach ($vectors['frames'] as $v) {
    try {
        write($v['hex']);
        $actual = 'frame';
    } catch (Refused) {
        $actual = 'refused';
    }
    $isFile = $v['result'] === 'frame' && $v['header']['full'];
    check('frames', $v['name'], $actual, $isFile ? 'frame' : 'refused');
}

foreach ($vectors['verdicts'] as $v) {
    check('verdicts', $v['name'], write($v['table'])->isRevoked($v['claims']), $v['revoked']);
    [$status] = verify([], $v['token'], $keys, write($v['table']));
    check('verdicts', $v['name'], $status, $v['revoked'] ? 401 : 200);
}

foreach ($vectors['keySets'] as $v) {
    $set = new Keys($v['body']);
    foreach (array_column(json_decode($v['body'], true)['keys'] ?? [] ?: [], 'kid') as $kid) {
        check('keySets', $v['name'], $set->find((string) $kid) !== null, in_array($kid, $v['kids'], true));
    }
    check('keySets', $v['name'], $set->isEmpty(), $v['kids'] === []);
}

$jwk = ['kty' => 'OKP', 'crv' => 'Ed25519', 'x' => str_repeat('A', 43), 'alg' => 'EdDSA'];
foreach ($vectors['keyVersions'] as $v) {
    $held = null;
    $version = $frameVersion = '';
    $kids = [];
    foreach ($v['steps'] as $i => $step) {
        if ($step['event'] === 'keys') {
            if ($held !== null && $version === $frameVersion && $step['version'] !== $version) {
                continue; // The sidecar doesn't write the keys of a node that is behind.
            }
            $jwks = array_map(fn ($kid) => [...$jwk, 'kid' => $kid], $step['kids']);
            $held = new Keys((string) json_encode(['keys' => $jwks]));
            [$version, $kids] = [$step['version'], $step['kids']];
        } elseif ($step['event'] === 'frame') {
            $frameVersion = $step['keyVersion'];
        } elseif ($step['event'] === 'check') {
            if ($step['status'] === 503 && in_array($step['kid'], $kids, true)) {
                continue; // The sidecar no longer updates its file, so it is stale.
            }
            try {
                Verifier::findKey($step['kid'], $held, $held !== null && $version === $frameVersion);
                $actual = 200;
            } catch (Refused $refused) {
                $actual = $refused->status;
            }
            check('keyVersions', "{$v['name']}, step $i", $actual, $step['status']);
        }
    }
}

foreach ($vectors['answers'] as $v) {
    $file = write($v['table'], $v['stale'] ? 11 : 0);
    [$status, $message] = verify([], $v['token'], $v['keys'] === 'none' ? null : $keys, $file);
    check('answers', $v['name'], [$status, $message], [$v['status'], $v['message'] ?? null]);
}

echo $count - $failures . " passed, $failures failed\n";
exit($failures > 0 ? 1 : 0);
