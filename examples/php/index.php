<?php
// A page with a form. What is sent with it is published, and everybody who has the page open sees it. The worker that
// runs this hands the event to freshet and is free again, however many people listen.
//
// usage: php -S 127.0.0.1:3000 index.php

declare(strict_types=1);
require __DIR__ . '/freshet.php';
require __DIR__ . '/direct.php';

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

if ($path === '/' && $_SERVER['REQUEST_METHOD'] === 'GET') {
    header('Content-Type: text/html; charset=utf-8');
    echo strtr(file_get_contents(__DIR__ . '/page.html'), [
        '{{freshet}}' => htmlspecialchars(freshet_url()),
        // With /?direct the page also opens the stream by hand. Each window of it then holds one worker.
        '{{direct}}' => isset($_GET['direct']) ? '/direct' : '',
    ]);
} elseif ($path === '/say' && $_SERVER['REQUEST_METHOD'] === 'POST') {
    $message = ['text' => substr((string) ($_POST['text'] ?? ''), 0, 2000), 'at' => (int) (microtime(true) * 1000)];
    direct_store($message);
    try {
        freshet_publish('messages', 'said', $message);
        http_response_code(204);
    } catch (RuntimeException $problem) {
        error_log($problem->getMessage());
        http_response_code(502);
    }
} elseif ($path === '/direct') {
    direct_stream($_SERVER['HTTP_LAST_EVENT_ID'] ?? $_GET['last_event_id'] ?? null);
} else {
    http_response_code(404);
}
