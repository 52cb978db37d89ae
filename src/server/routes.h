// The handlers of the routes: one file each, route_<name>.c.
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "server/exchange.h"

extern const struct handler route_subscribe;
extern const struct handler route_publish;
extern const struct handler route_healthz;
extern const struct handler route_readyz;
extern const struct handler route_metrics;
extern const struct handler route_topics;
extern const struct handler route_purge;
extern const struct handler route_connections;
extern const struct handler route_close;
extern const struct handler route_reload;
extern const struct handler route_change;
extern const struct handler route_front;
extern const struct handler route_live;
extern const struct handler route_close;
extern const struct handler route_asset;
extern const struct handler route_tickets;
extern const struct handler route_renew;

#endif
