<?php

// A service whose requests need an access token: php -S 127.0.0.1:8012 index.php

declare(strict_types=1);

use Tokenpair\Refused;
use Tokenpair\Verifier;

require __DIR__ . '/Refused.php';
require __DIR__ . '/RevocationFile.php';
require __DIR__ . '/Keys.php';
require __DIR__ . '/Verifier.php';

$verifier = new Verifier((string) getenv('TOKENPAIR_ISSUER'), (string) getenv('TOKENPAIR_AUDIENCE'));
try {
    $claims = $verifier->authenticate($_SERVER['HTTP_AUTHORIZATION'] ?? null, (string) getenv('TOKENPAIR_FEED_FILE'));
    header('Content-Type: application/json');
    echo json_encode(['user' => $claims['user_id']]);
} catch (Refused $refused) {
    $refused->send();
}
