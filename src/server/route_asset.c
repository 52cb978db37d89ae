// /lab and /console/…: the files that are part of the program. They hold no secrets, so anyone may have them and they are
// compressed whatever --compression says; what the console shows it has to ask for, with the rights of who looks.
// The policy for pages: nothing from elsewhere, nothing inline, in nobody's frame.
#include "http/etag.h"
#include "http/negotiate.h"
#include "server/assets.h"
#include "server/routes.h"

static const char content_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void add_protection(struct reply *reply) {
    reply_add(reply, "Content-Security-Policy", bytes_of(content_policy));
    reply_add(reply, "X-Content-Type-Options", bytes_of("nosniff"));
    reply_add(reply, "Referrer-Policy", bytes_of("no-referrer"));
    reply_add(reply, "Cross-Origin-Opener-Policy", bytes_of("same-origin"));
}

void asset_answer(struct exchange *exchange, const struct http_request *req,
                  const struct asset *asset) {
    bool gzip = http_accepts_gzip(http_request_header(req, "accept-encoding"));
    const char *etag = gzip ? asset->etag_gzip : asset->etag;
    struct reply reply = {.status = 304};
    if (!http_etag_listed(http_request_header(req, "if-none-match"), bytes_of(etag))) {
        reply.status = 200;
        reply.type = asset->type;
        reply.body = gzip ? asset->gzip : asset->plain;
        if (gzip) {
            reply_add(&reply, "Content-Encoding", bytes_of("gzip"));
        }
    }
    reply_add(&reply, "Cache-Control",
              bytes_of(asset->hashed ? "public, max-age=31536000, immutable" : "no-cache"));
    reply_add(&reply, "ETag", bytes_of(etag));
    reply_add(&reply, "Vary", bytes_of("Accept, Accept-Encoding"));
    add_protection(&reply);
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    const struct asset *asset = assets_find(req->path);
    if (asset) {
        asset_answer(exchange, req, asset);
    } else if (assets_count) {
        exchange_problem(exchange, 404,
                         "there is no such file; the console is at /, the lab at /lab");
    } else {
        exchange_problem(
            exchange, 404,
            "this freshet was built without the console; build it where Node and npm are");
    }
    return 0;
}

const struct handler route_asset = {.begin = begin};
