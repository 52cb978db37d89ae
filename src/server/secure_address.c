// The settings of an address. A section belongs to the address that it names, however either is
// written; one that belongs to none is refused, because what it asks for would not be kept: clients
// without certificates let in, to begin with. A certificate of its own takes the place of all that
// there are for every address, and so does a file of authorities.
#include "server/secure_address.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "net/listen_spec.h"
#include "server/listening.h"
#include "server/server.h"
#include "server/session.h"

static int refuse(struct server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(struct server *server, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(server->problem, sizeof(server->problem), format, args);
    va_end(args);
    return ERR_INVALID;
}

static bool says(const char *text, const char *scheme) {
    return strncmp(text, scheme, strlen(scheme)) == 0;
}

// What says https://, and what has a certificate (that of all addresses, or its own) when no address
// says which it speaks.
static bool speaks_tls(const struct settings *settings, const char *text, bool own_certificate) {
    if (says(text, "https://")) {
        return true;
    }
    for (size_t i = 0; i < listening_wanted(settings); i++) {
        if (strstr(listening_text(settings, i), "://")) {
            return false;
        }
    }
    return own_certificate || settings->tls_cert.count || settings->tls_self_signed;
}

static bool same_place(const struct listen_spec *a, const struct listen_spec *b) {
    if (a->handed_over || b->handed_over) {
        return a->handed_over && b->handed_over && bytes_equal(a->name, b->name);
    }
    return a->address.len == b->address.len &&
           memcmp(&a->address.any, &b->address.any, a->address.len) == 0;
}

static const struct listen_settings *section_at(const struct server *server, size_t i) {
    return (const struct listen_settings *)server->settings->listen_sections.items + i;
}

// Its section, or NULL: 0, or ERR_INVALID when there are two.
static int find_section(struct server *server, const struct listen_spec *spec,
                        const struct listen_settings **out) {
    struct listen_spec of_section;
    *out = NULL;
    for (size_t i = 0; i < server->settings->listen_sections.count; i++) {
        const struct listen_settings *section = section_at(server, i);
        if (listen_spec_parse(section->address, &of_section) || !same_place(spec, &of_section)) {
            continue;
        }
        if (*out) {
            return refuse(server,
                          "[listen \"%.100s\"] and [listen \"%.100s\"] are the same address: put "
                          "all of its settings into one section",
                          (*out)->address, section->address);
        }
        *out = section;
    }
    return 0;
}

static bool asks_clients(int choice) {
    return choice == CLIENTS_REQUIRED || choice == CLIENTS_OPTIONAL;
}

// Whether the section says anything that only TLS can keep.
static bool has_tls(const struct listen_settings *own, const struct settings *all) {
    bool clients =
        own->tls_client_auth != all->tls_client_auth && asks_clients(own->tls_client_auth);
    return own->tls_cert.count || own->tls_key.count || own->tls_client_ca || clients ||
           own->tls_min_version != all->tls_min_version;
}

static int check_section(struct server *server, const char *text, bool tls,
                         const struct listen_settings *own) {
    if (!tls && (has_tls(own, server->settings) || says(own->address, "https://"))) {
        return refuse(server,
                      "[listen \"%.100s\"] is about TLS, but the address is to speak plain text: "
                      "write --listen https://…, or leave that out of the section",
                      own->address);
    }
    if (tls && says(own->address, "http://")) {
        return refuse(server,
                      "[listen \"%.100s\"] says http://, but the address speaks TLS: %.100s",
                      own->address, text);
    }
    if (own->tls_key.count && !own->tls_cert.count) {
        return refuse(server,
                      "[listen \"%.100s\"]: tls-key without tls-cert: name the certificate too",
                      own->address);
    }
    return 0;
}

static int check_clients(struct server *server, const char *text, int asked,
                         const struct tls_settings *settings) {
    if (settings->client_ca || !asks_clients(asked)) {
        return 0;
    }
    return refuse(server,
                  "--tls-client-auth asks the clients of %.100s for certificates, but nobody says "
                  "whose are good: name the authorities with --tls-client-ca FILE",
                  text);
}

// A certificate of its own comes with its own key, or has it inside.
static struct tls_settings tls_settings_of(const struct server *server,
                                           const struct listen_settings *own) {
    static const struct texts none;
    const struct settings *settings = server->settings;
    bool self_signed = settings->tls_self_signed;
    struct tls_settings out = {
        .certs = self_signed ? &server->secure.self_signed : &settings->tls_cert,
        .keys = self_signed ? &none : &settings->tls_key,
        .client_ca = settings->tls_client_ca,
        .min_version = (enum tls_version)settings->tls_min_version,
    };
    if (own && own->tls_cert.count) {
        out.certs = &own->tls_cert;
        out.keys = &own->tls_key;
    }
    if (own) {
        out.client_ca = own->tls_client_ca ? own->tls_client_ca : out.client_ca;
        out.min_version = (enum tls_version)own->tls_min_version;
    }
    return out;
}

int secure_address_wish(struct server *server, const char *text, const struct listen_spec *spec,
                        struct secure_wish *out) {
    const struct settings *settings = server->settings;
    const struct listen_settings *own;
    int rc = find_section(server, spec, &own);
    if (rc) {
        return rc;
    }
    int clients = own ? own->tls_client_auth : settings->tls_client_auth;
    *out = (struct secure_wish){
        .section = own ? own->address : NULL,
        .tls = speaks_tls(settings, text, own && own->tls_cert.count),
        .http2 = own ? own->http2 : settings->http2,
        .settings = tls_settings_of(server, own),
    };
    rc = own ? check_section(server, text, out->tls, own) : 0;
    if (rc || !out->tls) {
        return rc;
    }
    rc = check_clients(server, text, clients, &out->settings);
    out->settings.client_ca = clients == CLIENTS_NONE ? NULL : out->settings.client_ca;
    out->settings.client_optional = clients == CLIENTS_OPTIONAL;
    out->settings.protocols = out->http2 ? session_protocols : session_protocols_h1;
    return rc;
}

int secure_address_sections(struct server *server) {
    const struct settings *settings = server->settings;
    for (size_t i = 0; i < server->settings->listen_sections.count; i++) {
        const char *address = section_at(server, i)->address;
        struct listen_spec of_section, spec;
        bool found = false;
        const char *wrong = listen_spec_parse(address, &of_section);
        for (size_t k = 0; !wrong && k < listening_wanted(settings); k++) {
            wrong = listen_spec_parse(listening_text(settings, k), &spec);
            found = found || (!wrong && same_place(&spec, &of_section));
        }
        if (!found) {
            return refuse(server, "[listen \"%.100s\"]: %s", address,
                          wrong ? wrong
                                : "nothing listens there: name the address with --listen too, or "
                                  "leave the section out");
        }
    }
    return 0;
}
