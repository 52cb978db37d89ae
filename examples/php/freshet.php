<?php
// All that a PHP program needs to publish: one function, no extension, no package.

declare(strict_types=1);

function freshet_url(): string
{
    return getenv('FRESHET_URL') ?: 'http://127.0.0.1:8042';
}

// Publishes an event and returns its id. A freshet that is away or busy is asked again for a while, by the same
// Idempotency-Key: if only the answer was lost, the event is not published twice.
function freshet_publish(string $topic, string $type, mixed $value): string
{
    $headers = ['Content-Type: application/json', 'Idempotency-Key: "' . bin2hex(random_bytes(16)) . '"'];
    if ($token = getenv('FRESHET_TOKEN')) { // one that may publish there, if freshet asks for it
        $headers[] = "Authorization: Bearer $token";
    }
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => $headers,
        'content' => json_encode($value, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE),
        'timeout' => 5,
        'ignore_errors' => true, // an answer of 400 is an answer, too
    ]]);
    $path = implode('/', array_map('rawurlencode', explode('/', $topic)));
    $url = freshet_url() . "/events/$path?event=" . rawurlencode($type);
    for ($attempt = 1; ; $attempt++) {
        $http_response_header = [];
        $answer = @file_get_contents($url, false, $context);
        $status = (int) (explode(' ', $http_response_header[0] ?? '')[1] ?? 0);
        if ($status === 200 && $answer !== false) {
            return json_decode($answer, true)['id'];
        }
        $again = $status === 0 || $status === 429 || $status >= 500;
        if (!$again || $attempt === 6) {
            throw new RuntimeException("freshet: $status " . ($answer ?: 'no answer'));
        }
        usleep(100_000 * 2 ** $attempt);
    }
}
