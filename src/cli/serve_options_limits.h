// The settings of limits for each address, subject and topic: a part of the table in
// serve_options.c, which includes this between its entries, as nobody else can.
{.name = "max-connections-per-address",
 .type = OPTION_COUNT,
 AT(max_connections_per_address),
 .value_name = "N",
 .group = "Limits",
 .help = "Connections open at a time from one address (IPv6: one /64); more are closed at once. "
         "Those of --trusted-proxies are not counted. 0 means no limit."},
    {.name = "max-listeners-per-address",
     .type = OPTION_COUNT,
     AT(max_listeners_per_address),
     .value_name = "N",
     .group = "Limits",
     .help = "Listeners at a time from one address (IPv6: one /64), behind --trusted-proxies the "
             "client's; more are told to come back later. 0 means no limit."},
    {.name = "max-listeners-per-subject",
     .type = OPTION_COUNT,
     AT(max_listeners_per_subject),
     .value_name = "N",
     .group = "Limits",
     .help = "Listeners at a time whose tokens have the same `sub`; more are told to come back "
             "later. 0 means no limit."},
    {.name = "max-listeners-per-topic",
     .type = OPTION_COUNT,
     AT(max_listeners_per_topic),
     .value_name = "N",
     .group = "Limits",
     .help = "Listeners at a time that name the same topic, or the same pattern; more are told to "
             "come back later. 0 means no limit."},
