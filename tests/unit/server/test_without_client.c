// A build without libcurl: whoever wants a backend asked, or told, is refused before the server begins.
#include "server/fake.h"

#include "base/error.h"
#include "server/auth_desk.h"
#include "server/auth_hook.h"
#include "server/webhooks.h"

static struct fake_server fake;
static char url[] = "http://h/";

static int setup(void **state) {
    fake_server_init(&fake);
    return 0;
}

static void without_the_settings_all_is_fine(void **state) {
    fake_server_open(&fake);
    assert_int_equal(auth_hook_open(&fake.server), 0);
    assert_int_equal(webhooks_check(&fake.server), 0);
    assert_int_equal(webhooks_open(&fake.server), 0);
    assert_null(fake.server.access.desk);
    assert_null(fake.server.webhooks);
    struct buf page;
    buf_init(&page, &mem_libc, 0);
    auth_hook_put_metrics(&fake.server, &page);
    webhooks_put_metrics(&fake.server, &page);
    assert_int_equal(page.len, 0);
    buf_finish(&page);
    fake_server_finish(&fake);
}

static void nobody_can_be_asked(void **state) {
    struct auth_desk *desk;
    struct auth_desk_settings settings = {.url = url};
    fake.settings.auth_url = url;
    assert_string_equal(auth_hook_problem(&fake.settings),
                        "--auth-url: nobody can be asked; this build has no libcurl");
    assert_int_equal(auth_desk_open(&desk, &settings), ERR_SYSTEM);
    assert_null(desk);
}

static void nobody_can_be_told(void **state) {
    fake.settings.webhook_url = url;
    fake.server.settings = &fake.settings;
    assert_int_equal(webhooks_check(&fake.server), ERR_INVALID);
    assert_string_equal(fake.server.problem,
                        "--webhook-url: nobody can be told; this build has no libcurl");
    assert_int_equal(webhooks_open(&fake.server), ERR_INVALID);
    assert_null(fake.server.webhooks);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_the_settings_all_is_fine, setup),
        cmocka_unit_test_setup(nobody_can_be_asked, setup),
        cmocka_unit_test_setup(nobody_can_be_told, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
