// The table. Marks are those that can be seen in the makers' documentation or in their answers;
// docs/proxies/README.md says more on each.
#include "cli/doctor_hops.h"

#include "client/probe.h"

static const char *const general[TROUBLE_COUNT] = {
    [TROUBLE_BUFFERING] = "Switch response buffering off for this path, in whatever stands before "
                          "the server (see docs/proxies).",
    [TROUBLE_COMPRESSION] = "Exclude text/event-stream from compression, or have it flushed after "
                            "each event.",
    [TROUBLE_CACHING] = "Never cache this path, and never make one request of several.",
    [TROUBLE_IDLE] = "Raise the limit for silence above the server's --heartbeat (15s), or lower "
                     "--heartbeat below the limit.",
    [TROUBLE_VERSION] = "Let it speak HTTP/2 to browsers, which takes TLS, and HTTP/1.1 to the "
                        "server.",
    [TROUBLE_CURSOR] = "Have the request header Last-Event-ID forwarded as it is.",
};

#define NGINX_VERSION                                                                              \
    "nginx: listen 443 ssl http2 for browsers; proxy_http_version 1.1 towards the server."

static const struct doctor_hop table[] = {
    {"Cloudflare",
     "cf-ray",
     "",
     {[TROUBLE_BUFFERING] = "Cloudflare: look for rules that change, compress or inspect the "
                            "response; it passes on text/event-stream by itself.",
      [TROUBLE_COMPRESSION] = "Cloudflare: a compression rule that leaves this path out.",
      [TROUBLE_CACHING] = "Cloudflare: a cache rule that bypasses this path.",
      [TROUBLE_IDLE] = "Cloudflare: its limit is about 100 s and cannot be changed below the "
                       "Enterprise plan; keep --heartbeat at 15s."}},
    {"CloudFront",
     "x-amz-cf-id",
     "",
     {[TROUBLE_CACHING] = "CloudFront: a behaviour for this path with the cache policy "
                          "CachingDisabled.",
      [TROUBLE_COMPRESSION] = "CloudFront: \"Compress objects automatically\" off for this path.",
      [TROUBLE_IDLE] = "CloudFront: raise the origin response timeout (30 s between two packets).",
      [TROUBLE_CURSOR] = "CloudFront: an origin request policy that forwards Last-Event-ID and all "
                         "query strings, such as AllViewer."}},
    {"Fastly",
     "x-served-by",
     "cache-",
     {[TROUBLE_BUFFERING] = "Fastly: beresp.do_stream = true in vcl_fetch.",
      [TROUBLE_CACHING] = "Fastly: return(pass) in vcl_recv for this path.",
      [TROUBLE_IDLE] = "Fastly: raise the between bytes timeout of the host above the heartbeat."}},
    {"Varnish",
     "x-varnish",
     "",
     {[TROUBLE_BUFFERING] = "Varnish: return (pipe) in vcl_recv for this path; a pass keeps back "
                            "what came with the head (docs/proxies/default.vcl).",
      [TROUBLE_COMPRESSION] = "Varnish: set beresp.do_gzip = false.",
      [TROUBLE_CACHING] = "Varnish: return (pipe) or (pass) in vcl_recv for this path.",
      [TROUBLE_IDLE] = "Varnish: pipe_timeout for a pipe, between_bytes_timeout for a pass."}},
    {"Azure Front Door",
     "x-azure-ref",
     "",
     {[TROUBLE_CACHING] = "Azure Front Door: no caching on the route of this path.",
      [TROUBLE_COMPRESSION] = "Azure Front Door: no compression on the route of this path.",
      [TROUBLE_IDLE] = "Azure Front Door: raise the origin response timeout."}},
    {"Azure Application Gateway",
     "server",
     "Microsoft-Azure-Application-Gateway",
     {[TROUBLE_BUFFERING] = "Azure Application Gateway: disable the response buffer.",
      [TROUBLE_IDLE] = "Azure Application Gateway: raise the request timeout of the backend "
                       "setting."}},
    {"AWS load balancer",
     "server",
     "awselb",
     {[TROUBLE_IDLE] = "AWS load balancer: raise idle_timeout.timeout_seconds (60)."}},
    {"Google Cloud load balancer",
     "via",
     "google",
     {[TROUBLE_IDLE] = "Google Cloud: raise the timeout of the backend service, which is for the "
                       "whole response (30 s)."}},
    {"Heroku",
     "via",
     "vegur",
     {[TROUBLE_IDLE] = "Heroku: its limit of 55 s is fixed; keep --heartbeat at 15s."}},
    {"Fly.io",
     "fly-request-id",
     "",
     {[TROUBLE_IDLE] = "Fly.io: its limit is fixed at about 60 s; keep --heartbeat at 15s."}},
    {"HAProxy",
     "via",
     "haproxy",
     {[TROUBLE_IDLE] = "HAProxy: raise timeout tunnel, timeout server and timeout client."}},
    {"Envoy",
     "server",
     "envoy",
     {[TROUBLE_IDLE] = "Envoy: timeout: 0s on the route (15 s for the whole response otherwise), "
                       "and stream_idle_timeout above the heartbeat."}},
    {"Istio",
     "server",
     "istio-envoy",
     {[TROUBLE_IDLE] = "Istio: timeout: 0s on the route of the VirtualService."}},
    {"Caddy",
     "server",
     "Caddy",
     {[TROUBLE_BUFFERING] = "Caddy: flush_interval -1 in reverse_proxy.",
      [TROUBLE_COMPRESSION] = "Caddy: no encode for this path.",
      [TROUBLE_IDLE] = "Caddy: raise read_timeout of the transport."}},
    {"Caddy", "via", "Caddy", {[TROUBLE_BUFFERING] = "Caddy: flush_interval -1 in reverse_proxy."}},
    {"Apache",
     "server",
     "Apache",
     {[TROUBLE_BUFFERING] = "Apache: flushpackets=on at the ProxyPass.",
      [TROUBLE_COMPRESSION] = "Apache: SetEnv no-gzip 1 for this path.",
      [TROUBLE_IDLE] = "Apache: raise ProxyTimeout."}},
    {"LiteSpeed",
     "server",
     "LiteSpeed",
     {[TROUBLE_BUFFERING] = "LiteSpeed: response buffering off in the external application."}},
    {"OpenResty",
     "server",
     "openresty",
     {[TROUBLE_BUFFERING] =
          "OpenResty: proxy_buffering off, and no proxy_ignore_headers X-Accel-Buffering.",
      [TROUBLE_COMPRESSION] = "OpenResty: no text/event-stream in gzip_types.",
      [TROUBLE_CACHING] = "OpenResty: proxy_cache off for this path.",
      [TROUBLE_IDLE] = "OpenResty: raise proxy_read_timeout (60s).",
      [TROUBLE_VERSION] = NGINX_VERSION,
      [TROUBLE_CURSOR] = "OpenResty: proxy_pass_request_headers on."}},
    {"nginx",
     "server",
     "nginx",
     {[TROUBLE_BUFFERING] =
          "nginx: proxy_buffering off, and no proxy_ignore_headers X-Accel-Buffering.",
      [TROUBLE_COMPRESSION] = "nginx: no text/event-stream in gzip_types.",
      [TROUBLE_CACHING] = "nginx: proxy_cache off for this path.",
      [TROUBLE_IDLE] = "nginx: raise proxy_read_timeout (60s).",
      [TROUBLE_VERSION] = NGINX_VERSION,
      [TROUBLE_CURSOR] =
          "nginx: proxy_pass_request_headers on, no proxy_set_header Last-Event-ID \"\"."}},
};

// Whether the mark stands at the start of a word of the value.
static bool has_mark(struct bytes value, const char *mark) {
    struct bytes wanted = bytes_of(mark);
    for (size_t i = 0; i + wanted.len <= value.len; i++) {
        bool word = i == 0 || value.at[i - 1] == ' ' || value.at[i - 1] == ',';
        if (word && bytes_equal_nocase(bytes_make(value.at + i, wanted.len), wanted)) {
            return true;
        }
    }
    return false;
}

static bool is_known(const struct doctor_hop *const *hops, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(hops[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

size_t doctor_hops_find(struct bytes head, const struct doctor_hop *hops[DOCTOR_HOPS_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && count < DOCTOR_HOPS_MAX; i++) {
        struct bytes value = probe_field(head, table[i].field);
        if (value.len && has_mark(value, table[i].mark) && !is_known(hops, count, table[i].name)) {
            hops[count++] = &table[i];
        }
    }
    return count;
}

const char *doctor_hops_general(enum trouble trouble) {
    return general[trouble];
}
