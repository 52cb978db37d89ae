# Varnish in front of freshet: whatever varnishd -a says to 127.0.0.1:8042. Streams go through a pipe, so its limit for
# silence is a parameter of the program: freshet's --heartbeat (15s) must be shorter.
#   varnishd -a :8080 -f /etc/varnish/default.vcl -s malloc,64m -p pipe_timeout=75 -p thread_pool_max=20000
# A listener holds a thread of Varnish; there are two pools of thread_pool_max. Beyond some thousands of listeners let
# them go past Varnish.
vcl 4.1;

backend freshet {
    .host = "127.0.0.1";
    .port = "8042";
    .connect_timeout = 5s;
    .first_byte_timeout = 75s; # a long poll answers after --max-wait (60s)
    .between_bytes_timeout = 75s;
}

sub vcl_recv {
    # Varnish 7.1 keeps back what came together with the head of a response until something follows; for a stream that
    # may be its first events. A pipe passes on every byte at once. (For HTTP/2 Varnish makes it a pass, by itself.)
    if (req.method == "GET" && req.url ~ "^/events" && req.http.Accept !~ "application/json") {
        return (pipe);
    }
    # Polls that go on behind the same event are one, if freshet's answer allows it (leave this out with --cache-age 0:
    # they would wait for each other). What is somebody's own is passed on, and what begins now: whoever waits for
    # another's answer begins later.
    if (req.method == "GET" && req.url ~ "^/events.*[?&]last_event_id=[0-9]+-[0-9]+" && !req.http.Last-Event-ID &&
        !req.http.Authorization && !req.http.Cookie) {
        return (hash);
    }
    return (pass);
}

sub vcl_pipe {
    # Another request on the same connection is looked at again.
    set bereq.http.Connection = "close";
    return (pipe);
}

sub vcl_backend_response {
    # Pass on what comes as it comes, and as it is. What Varnish does by itself follows: it keeps what Cache-Control
    # lets it keep.
    set beresp.do_stream = true;
    set beresp.do_gzip = false;
    set beresp.do_gunzip = false;
}
