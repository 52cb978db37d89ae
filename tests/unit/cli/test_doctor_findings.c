// The list of findings, and its two forms.
#include "cli/doctor_findings.h"

#include <string.h>

#include "base/json.h"
#include "support.h"

static void add_two(struct findings *findings) {
    findings_add(findings, FINDING_OK, "one", "Fine, %d of %d.", 3, 3);
    findings_add(findings, FINDING_FAIL, "two", "It says \"%s\".", "a\x1b[2J\xff");
    findings_advise(findings, "First %s.", "this");
    findings_advise(findings, "Then that.");
}

static void findings_are_text(void **state) {
    struct findings findings;
    struct buf out;
    findings_init(&findings, &mem_libc);
    buf_init(&out, &mem_libc, 0);
    add_two(&findings);
    assert_int_equal(findings_text(&findings, 0, &out), 0);
    assert_int_equal(buf_append(&out, "", 1), 0);
    assert_string_equal(out.at, "OK    one               Fine, 3 of 3.\n"
                                "FAIL  two               It says \"a\\u001b[2J\\xff\".\n"
                                "                        First this. Then that.\n");
    buf_clear(&out);
    assert_int_equal(findings_text(&findings, 2, &out), 0);
    assert_int_equal(out.len, 0);
    buf_finish(&out);
    findings_finish(&findings);
}

static void findings_are_json(void **state) {
    struct findings findings;
    struct buf out;
    struct bytes value;
    findings_init(&findings, &mem_libc);
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(findings_json(&findings, &out), 0);
    assert_true(bytes_is(buf_bytes(&out), "{\"result\":\"ok\",\"findings\":[]}\n"));
    buf_clear(&out);
    add_two(&findings);
    assert_int_equal(findings_json(&findings, &out), 0);
    assert_int_equal(json_validate(buf_bytes(&out), 4, &value), 0);
    assert_true(bytes_starts_with(value, "{\"result\":\"fail\",\"findings\":[{\"level\":\"ok\","
                                         "\"check\":\"one\",\"text\":\"Fine, 3 of 3.\","
                                         "\"advice\":\"\"},{\"level\":\"fail\""));
    buf_finish(&out);
    findings_finish(&findings);
}

static void the_worst_counts(void **state) {
    struct findings findings;
    findings_init(&findings, &mem_libc);
    assert_int_equal(findings_worst(&findings), FINDING_OK);
    findings_add(&findings, FINDING_SKIP, "a", "-");
    assert_int_equal(findings_worst(&findings), FINDING_OK);
    findings_add(&findings, FINDING_FAIL, "b", "-");
    findings_add(&findings, FINDING_WARN, "c", "-");
    assert_int_equal(findings_worst(&findings), FINDING_FAIL);
    assert_int_equal(findings_get(&findings, "c")->level, FINDING_WARN);
    assert_null(findings_get(&findings, "d"));
    findings_finish(&findings);
}

static void the_list_has_an_end(void **state) {
    struct findings findings;
    findings_init(&findings, &mem_libc);
    findings_advise(&findings, "Nothing to advise on.");
    for (int i = 0; i < FINDINGS_MAX; i++) {
        findings_add(&findings, FINDING_OK, "a", "%d", i);
    }
    assert_false(findings.incomplete);
    findings_add(&findings, FINDING_OK, "a", "one more");
    assert_true(findings.incomplete);
    assert_int_equal(findings.count, FINDINGS_MAX);
    findings_finish(&findings);
}

static void memory_runs_out(void **state) {
    struct test_mem mem;
    bool complete = false;
    for (long at = 1; !complete; at++) {
        struct findings findings;
        test_mem_init(&mem);
        mem.fail_at = at;
        findings_init(&findings, &mem.mem);
        add_two(&findings);
        complete = !findings.incomplete;
        assert_true(complete || at < 100);
        for (size_t i = 0; i < findings.count; i++) {
            assert_non_null(findings.items[i].text);
            assert_non_null(findings.items[i].advice);
        }
        findings_finish(&findings);
        test_mem_finish(&mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_text), cmocka_unit_test(findings_are_json),
        cmocka_unit_test(the_worst_counts),  cmocka_unit_test(the_list_has_an_end),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
