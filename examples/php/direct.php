<?php
// The stream by hand, as one finds it in many tutorials: a loop that asks every quarter of a second whether there is
// something new, and never ends. It is here to be compared. It works; but each listener holds a worker for as long as
// its page is open, and when the last worker is held, the site stands still. README.md says what that costs.

declare(strict_types=1);

// It needs a place where the workers can leave messages for each other; a table of a database usually. Here each
// message is a line of a file, and the place behind it is the message's id.
function direct_file(): string
{
    return sys_get_temp_dir() . "/freshet-example-$_SERVER[SERVER_PORT].jsonl";
}

function direct_store(array $message): void
{
    file_put_contents(direct_file(), json_encode($message, JSON_INVALID_UTF8_SUBSTITUTE) . "\n", FILE_APPEND | LOCK_EX);
}

function direct_stream(?string $last_id): never
{
    header('Content-Type: text/event-stream');
    header('Cache-Control: no-cache, no-transform');
    header('X-Accel-Buffering: no'); // or nginx keeps the events until it has 8 kilobytes of them
    set_time_limit(0);               // or the loop ends after max_execution_time
    while (ob_get_level() > 0) {     // or PHP keeps them, too
        ob_end_flush();
    }
    // With sessions: session_write_close() here. The loop would hold the session's lock, and each further request of
    // the same visitor would wait for it.

    $file = fopen(direct_file(), 'c+');
    fseek($file, (int) $last_id, $last_id === null ? SEEK_END : SEEK_SET);
    echo "retry: 1000\n\n";
    for ($silence = 0; ; $silence += 0.25) {
        while (($line = fgets($file)) !== false) {
            printf("id: %d\nevent: said\ndata: %s\n\n", ftell($file), rtrim($line, "\n"));
            $silence = 0;
        }
        if ($silence >= 15) {
            echo ":\n"; // PHP learns that a listener has gone only by writing to it
            $silence = 0;
        }
        flush();
        if (connection_aborted()) {
            exit;
        }
        usleep(250_000);
        fseek($file, 0, SEEK_CUR); // or the end of the file, once seen, stays the end
    }
}
