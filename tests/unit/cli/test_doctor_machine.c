// The judgement on a machine: facts in, findings out.
#include "cli/doctor_machine.h"

#include <string.h>

#include "support.h"

// A machine on which nothing hurts.
static struct doctor_machine good(void) {
    return (struct doctor_machine){
        .max_connections = 10000,
        .backlog = 4096,
        .socket_buffer = 128 << 10,
        .fixed_bytes = 160 << 20,
        .chosen = true,
        .descriptors = 65536,
        .descriptors_soft = 1024,
        .file_max = 1000000,
        .somaxconn = 4096,
        .syn_backlog = 4096,
        .syncookies = 1,
        .port_low = 32768,
        .port_high = 60999,
        .memory_available = INT64_C(4) << 30,
        .memory_limit = -1,
        .address_space = -1,
        .tcp_mem_max = INT64_C(1) << 30,
        .overcommit = 0,
        .conntrack_max = -1,
        .conntrack_count = -1,
        .synchronised = 1,
        .now_ms = INT64_C(1790000000000),
    };
}

static void expect(const struct doctor_machine *machine, const char *check,
                   enum finding_level level, const char *in_advice) {
    struct test_mem mem;
    struct findings findings;
    test_mem_init(&mem);
    findings_init(&findings, &mem.mem);
    doctor_machine_judge(machine, &findings);
    const struct finding *finding = findings_get(&findings, check);
    assert_non_null(finding);
    assert_int_equal(finding->level, level);
    assert_non_null(strstr(finding->advice, in_advice));
    assert_false(findings.incomplete);
    // Nothing else is worse for it.
    for (size_t i = 0; i < findings.count; i++) {
        assert_true(strcmp(findings.items[i].check, check) == 0 ||
                    findings.items[i].level == FINDING_OK);
    }
    findings_finish(&findings);
    test_mem_finish(&mem);
}

static void a_good_machine_is_well(void **state) {
    static const char *const checks[] = {"descriptors", "file-max", "backlog",       "syn-backlog",
                                         "ports",       "memory",   "socket-memory", "clock"};
    struct doctor_machine machine = good();
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        expect(&machine, checks[i], FINDING_OK, "");
    }
}

static void what_is_not_known_is_not_judged(void **state) {
    struct findings findings;
    struct doctor_machine machine = {.max_connections = 1, .backlog = 1};
    machine.descriptors = machine.descriptors_soft = machine.file_max = machine.somaxconn = -1;
    machine.syn_backlog = machine.syncookies = machine.port_low = machine.port_high = -1;
    machine.memory_available = machine.memory_limit = machine.address_space = -1;
    machine.tcp_mem_max = machine.overcommit = machine.conntrack_max = -1;
    machine.conntrack_count = machine.synchronised = -1;
    machine.now_ms = INT64_C(1790000000000);
    findings_init(&findings, &mem_libc);
    doctor_machine_judge(&machine, &findings);
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.items[0].check, "descriptors");
    assert_int_equal(findings.items[0].level, FINDING_OK);
    findings_finish(&findings);
}

static void too_few_descriptors(void **state) {
    struct doctor_machine machine = good();
    machine.descriptors = 10000 + DOCTOR_OWN_DESCRIPTORS;
    expect(&machine, "descriptors", FINDING_OK, "");
    machine.descriptors--;
    expect(&machine, "descriptors", FINDING_FAIL, "10064");
    // Nobody asked for so many.
    machine.chosen = false;
    expect(&machine, "descriptors", FINDING_WARN, "LimitNOFILE");
}

static void the_rest_of_the_system(void **state) {
    struct doctor_machine machine = good();
    machine.file_max = 10000;
    expect(&machine, "file-max", FINDING_FAIL, "fs.file-max");
    machine = good();
    machine.somaxconn = 128;
    expect(&machine, "backlog", FINDING_WARN, "somaxconn=4096");
    machine = good();
    machine.syn_backlog = 128;
    expect(&machine, "syn-backlog", FINDING_OK, "");
    machine.syncookies = 0;
    expect(&machine, "syn-backlog", FINDING_WARN, "tcp_max_syn_backlog=4096");
    machine = good();
    machine.port_low = 60000;
    expect(&machine, "ports", FINDING_WARN, "several addresses");
    machine.chosen = false;
    expect(&machine, "ports", FINDING_OK, "several addresses");
    machine = good();
    machine.conntrack_max = 9999;
    expect(&machine, "conntrack", FINDING_WARN, "nf_conntrack_max");
    machine.conntrack_max = 0;
    expect(&machine, "conntrack", FINDING_OK, "");
    machine = good();
    machine.overcommit = 2;
    expect(&machine, "overcommit", FINDING_WARN, "overcommit_memory");
}

static void too_little_memory(void **state) {
    struct doctor_machine machine = good();
    int64_t needed = (160 << 20) + 10000 * (DOCTOR_LISTENER_BYTES + DOCTOR_SOCKET_BYTES);
    machine.memory_available = needed;
    expect(&machine, "memory", FINDING_OK, "");
    machine.memory_available = needed - 1;
    expect(&machine, "memory", FINDING_FAIL, "--max-connections");
    // A container has less than its machine.
    machine = good();
    machine.memory_limit = needed - 1;
    expect(&machine, "memory", FINDING_FAIL, "");
    machine = good();
    machine.tcp_mem_max = 10000 * DOCTOR_UNACKED_BYTES - 1;
    expect(&machine, "socket-memory", FINDING_WARN, "tcp_mem");
    machine = good();
    machine.address_space = 100 << 20;
    expect(&machine, "address-space", FINDING_FAIL, "ulimit -v");
}

static void the_clock(void **state) {
    struct doctor_machine machine = good();
    machine.synchronised = 0;
    expect(&machine, "clock", FINDING_WARN, "--id-file");
    machine.now_ms = 1000;
    expect(&machine, "clock", FINDING_FAIL, "--id-file");
}

static void numbers_without_measure(void **state) {
    struct findings findings;
    struct doctor_machine machine = good();
    machine.max_connections = machine.backlog = machine.fixed_bytes = UINT64_MAX;
    findings_init(&findings, &mem_libc);
    doctor_machine_judge(&machine, &findings);
    assert_int_equal(findings_get(&findings, "descriptors")->level, FINDING_FAIL);
    assert_int_equal(findings_get(&findings, "memory")->level, FINDING_FAIL);
    findings_finish(&findings);
}

static void this_machine_can_be_read(void **state) {
    struct doctor_machine machine = {.max_connections = 1};
    doctor_machine_read(&machine);
    assert_true(machine.now_ms > INT64_C(1700000000000));
    assert_int_equal(machine.max_connections, 1);
#ifdef __linux__
    assert_true(machine.somaxconn > 0);
    assert_true(machine.port_high > machine.port_low && machine.port_low > 0);
    assert_true(machine.memory_available > 0);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_machine_is_well),
        cmocka_unit_test(what_is_not_known_is_not_judged),
        cmocka_unit_test(too_few_descriptors),
        cmocka_unit_test(the_rest_of_the_system),
        cmocka_unit_test(too_little_memory),
        cmocka_unit_test(the_clock),
        cmocka_unit_test(numbers_without_measure),
        cmocka_unit_test(this_machine_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
