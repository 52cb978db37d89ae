// Who stands in between, by their marks.
#include "cli/doctor_hops.h"

#include "support.h"

static size_t find(const char *head, const struct doctor_hop *hops[DOCTOR_HOPS_MAX]) {
    return doctor_hops_find(bytes_of(head), hops);
}

static void hops_leave_marks(void **state) {
    static const struct {
        const char *head, *name;
    } cases[] = {
        {"Server: nginx/1.22.1\n", "nginx"},
        {"server: nginx\n", "nginx"},
        {"Server: openresty/1.21\n", "OpenResty"},
        {"CF-RAY: 8a-FRA\n", "Cloudflare"},
        {"X-Amz-Cf-Id: x\n", "CloudFront"},
        {"X-Served-By: cache-fra-1, cache-lon-2\n", "Fastly"},
        {"X-Varnish: 32770\n", "Varnish"},
        {"X-Azure-Ref: 0\n", "Azure Front Door"},
        {"Server: Microsoft-Azure-Application-Gateway/v2\n", "Azure Application Gateway"},
        {"Server: awselb/2.0\n", "AWS load balancer"},
        {"Via: 1.1 google\n", "Google Cloud load balancer"},
        {"Via: 1.1 vegur\n", "Heroku"},
        {"Via: 2.0 heroku, 1.1 Caddy\n", "Caddy"},
        {"Fly-Request-Id: 01\n", "Fly.io"},
        {"Server: istio-envoy\n", "Istio"},
        {"Server: envoy\n", "Envoy"},
        {"Server: Apache/2.4\n", "Apache"},
    };
    const struct doctor_hop *hops[DOCTOR_HOPS_MAX];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(find(cases[i].head, hops), 1);
        assert_string_equal(hops[0]->name, cases[i].name);
    }
}

static void others_leave_none(void **state) {
    const struct doctor_hop *hops[DOCTOR_HOPS_MAX];
    assert_int_equal(find("", hops), 0);
    assert_int_equal(find("Server: mynginx\nVia: 1.1 notgoogle\nX-Served-By: app-3\n", hops), 0);
    assert_int_equal(find("CF-Ray:\n", hops), 0);
}

static void several_hops_once_each(void **state) {
    const struct doctor_hop *hops[DOCTOR_HOPS_MAX];
    assert_int_equal(find("Server: Caddy\nVia: 1.1 Caddy\nCF-Ray: a\n", hops), 2);
    assert_string_equal(hops[0]->name, "Cloudflare");
    assert_string_equal(hops[1]->name, "Caddy");
    assert_int_equal(find("CF-Ray: a\nX-Amz-Cf-Id: b\nX-Varnish: 1\nX-Azure-Ref: c\n"
                          "Fly-Request-Id: d\n",
                          hops),
                     DOCTOR_HOPS_MAX);
}

static void there_is_advice_for_every_trouble(void **state) {
    for (int trouble = 0; trouble < TROUBLE_COUNT; trouble++) {
        assert_non_null(doctor_hops_general((enum trouble)trouble));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hops_leave_marks),
        cmocka_unit_test(others_leave_none),
        cmocka_unit_test(several_hops_once_each),
        cmocka_unit_test(there_is_advice_for_every_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
