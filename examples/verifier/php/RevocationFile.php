<?php

declare(strict_types=1);

namespace Tokenpair;

/** The frame that `tokenpair verifier --write FILE` keeps up to date. The specification is docs/verifier/README.md. */
final class RevocationFile
{
    private const HEADER = 64;
    private const RECORD = 16;

    public readonly string $keyVersion;
    private readonly int $count;
    private readonly int $age;
    private readonly float $modifiedAt;

    /** @param resource $file */
    private function __construct(private $file)
    {
        $header = (string) stream_get_contents($file, self::HEADER, 0);
        $stat = fstat($file);
        $fields = strlen($header) === self::HEADER && str_starts_with($header, 'TPR1')
            ? unpack('Nflags/Ncount/Nage/Jt/H8keyVersion', $header, 4)
            : null;
        if (!$fields || ($fields['flags'] & 1) === 0 || $stat['size'] < self::HEADER + self::RECORD * $fields['count']) {
            throw new Refused(503);
        }
        $this->count = $fields['count'];
        $this->age = $fields['age'];
        $this->keyVersion = $fields['keyVersion'];
        $this->modifiedAt = $stat['mtime'];
    }

    /** Opens the file for one request. @throws Refused 503 if there is none. */
    public static function open(string $path): self
    {
        $file = @fopen($path, 'rb');
        return $file === false ? throw new Refused(503) : new self($file);
    }

    /** Returns whether the revocations are too old. PHP knows the time of a file in whole seconds, so they count as older. */
    public function isStale(float $now, float $maxStaleness): bool
    {
        $elapsed = $now - $this->modifiedAt;
        return $elapsed < -1 || $elapsed + $this->age / 1000 > $maxStaleness;
    }

    /** @param array<string, mixed> $claims */
    public function isRevoked(array $claims): bool
    {
        $epoch = $this->value('u:' . $claims['user_id']);
        return $this->value('s:' . $claims['sid']) > 0
            || $this->value('t:' . $claims['jti']) > 0
            || $this->value('a:') > $claims['ge']
            || ($epoch > $claims['ue'] && $this->value('x:' . $claims['sid']) < $epoch);
    }

    /** Returns the value of what a text names, or 0: a binary search. */
    private function value(string $text): int
    {
        $wanted = substr(hash('sha256', $text, true), 0, 8);
        for ($low = 0, $high = $this->count; $low < $high;) {
            $middle = intdiv($low + $high, 2);
            $record = (string) stream_get_contents($this->file, self::RECORD, self::HEADER + self::RECORD * $middle);
            $order = strcmp(substr($record, 0, 8), $wanted);
            if ($order === 0) {
                return unpack('N', $record, 12)[1];
            }
            if ($order < 0) {
                $low = $middle + 1;
            } else {
                $high = $middle;
            }
        }
        return 0;
    }
}
