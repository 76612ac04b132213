<?php

declare(strict_types=1);

namespace Tokenpair;

/** Why a request is refused: the status, and the body of the response. */
final class Refused extends \Exception
{
    public const NO_USER = 'Token contained no recognizable user identification';

    public function __construct(
        public readonly int $status,
        string $message = 'Service temporarily unavailable.',
        public readonly string $reason = 'token_not_valid',
    ) {
        parent::__construct($message);
    }

    /** Sends the response. */
    public function send(): void
    {
        http_response_code($this->status);
        header('Content-Type: application/json');
        if ($this->status === 503) {
            header('Retry-After: 1');
            echo json_encode(['detail' => $this->getMessage(), 'code' => 'unavailable']);
            return;
        }
        $presented = $this->reason === 'token_not_valid';
        header('WWW-Authenticate: Bearer realm="api"' . ($presented ? ', error="invalid_token"' : ''));
        $body = ['detail' => $this->getMessage(), 'code' => $this->reason];
        if ($presented && $this->getMessage() !== self::NO_USER) {
            $body['detail'] = 'Given token not valid for any token type';
            $body['messages'] = [
                ['token_class' => 'AccessToken', 'token_type' => 'access', 'message' => $this->getMessage()],
            ];
        }
        echo json_encode($body);
    }
}
