/*
 * What a C program does with ZooKeeper's C client, section by section. Arguments: host:port,..., and the features of the servers.
 * Compiled with THREADED for the library with threads of its own; without it this program moves the library's sockets itself.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

#ifdef THREADED
#define ROOT "/c-multi"
#else
#define ROOT "/c-single"
#endif

#define CLIENTS 3
#define TEXT_MAX 512
#define EVENTS_MAX 64
#define TIMEOUT_MS 30000
#define WAIT_SECONDS 60

/* What a call has come to. */
struct call {
    int done;
    int code;
    char text[TEXT_MAX];
};

static zhandle_t *clients[CLIENTS];
static char events[EVENTS_MAX][TEXT_MAX];
static int events_told;
static int events_taken;
static const char *features = "";

static int is_set(int *flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE); }

static void set(int *flag, int value) { __atomic_store_n(flag, value, __ATOMIC_RELEASE); }

static void say(const char *format, ...) {
    va_list words;
    va_start(words, format);
    vprintf(format, words);
    va_end(words);
    printf("\n");
    fflush(stdout);
}

static void fail(const char *what) {
    say("failed: %s", what);
    _exit(1);
}

/* Gives the library its turn: a single-threaded one does nothing by itself. */
static void turn(void) {
#ifdef THREADED
    usleep(1000);
#else
    struct pollfd polled[CLIENTS];
    zhandle_t *owners[CLIENTS];
    int count = 0;
    for (int index = 0; index < CLIENTS; index++) {
        int socket = -1, interest = 0;
        struct timeval wait;
        if (clients[index] == NULL) continue;
        zookeeper_interest(clients[index], &socket, &interest, &wait);
        if (socket < 0) continue;
        polled[count].fd = socket;
        polled[count].events = (interest & ZOOKEEPER_READ ? POLLIN : 0) | (interest & ZOOKEEPER_WRITE ? POLLOUT : 0);
        polled[count].revents = 0;
        owners[count++] = clients[index];
    }
    poll(polled, count, 10);
    for (int index = 0; index < count; index++) {
        int came = polled[index].revents;
        int ready = (came & (POLLIN | POLLHUP | POLLERR) ? ZOOKEEPER_READ : 0) | (came & POLLOUT ? ZOOKEEPER_WRITE : 0);
        zookeeper_process(owners[index], ready);
    }
#endif
}

static void until(const char *what, int (*is_so)(const void *), const void *about) {
    time_t started = time(NULL);
    while (!is_so(about)) {
        if (time(NULL) - started > WAIT_SECONDS) fail(what);
        turn();
    }
}

static int is_done(const void *about) { return is_set(&((struct call *)about)->done); }

static void finish(struct call *call) {
    until("no answer came", is_done, call);
    set(&call->done, 0);
}

static const char *event_name(int type) {
    if (type == ZOO_CREATED_EVENT) return "created";
    if (type == ZOO_DELETED_EVENT) return "deleted";
    if (type == ZOO_CHANGED_EVENT) return "changed";
    if (type == ZOO_CHILD_EVENT) return "children";
    return "other";
}

static void on_event(zhandle_t *client, int type, int state, const char *path, void *context) {
    (void)client, (void)state, (void)context;
    if (type == ZOO_SESSION_EVENT) return;
    int at = events_told;
    if (at == EVENTS_MAX) fail("too many events");
    snprintf(events[at], TEXT_MAX, "%s %s", event_name(type), path);
    set(&events_told, at + 1);
}

static int has_event(const void *about) {
    (void)about;
    return is_set(&events_told) > events_taken;
}

static void say_event(void) {
    until("no event came", has_event, NULL);
    say("%s", events[events_taken++]);
}

static void on_void(int code, const void *data) {
    struct call *call = (struct call *)data;
    call->code = code;
    set(&call->done, 1);
}

static void on_string(int code, const char *value, const void *data) {
    struct call *call = (struct call *)data;
    snprintf(call->text, TEXT_MAX, "%s", value == NULL ? "none" : value);
    on_void(code, data);
}

static int describe(char *text, const struct Stat *stat) {
    return snprintf(text, TEXT_MAX, "version=%d cversion=%d length=%d children=%d owned=%d", stat->version, stat->cversion,
                    stat->dataLength, stat->numChildren, stat->ephemeralOwner != 0);
}

static void on_stat(int code, const struct Stat *stat, const void *data) {
    struct call *call = (struct call *)data;
    call->text[0] = 0;
    if (stat != NULL) describe(call->text, stat);
    on_void(code, data);
}

static void on_string_stat(int code, const char *value, const struct Stat *stat, const void *data) {
    struct call *call = (struct call *)data;
    call->text[0] = 0;
    if (stat != NULL) snprintf(call->text + describe(call->text, stat), TEXT_MAX / 2, " %s", value);
    on_void(code, data);
}

static void on_data(int code, const char *value, int length, const struct Stat *stat, const void *data) {
    struct call *call = (struct call *)data;
    call->text[0] = 0;
    if (stat != NULL) {
        int at = describe(call->text, stat);
        snprintf(call->text + at, TEXT_MAX - at, " %.*s", length < 0 ? 4 : length, length < 0 ? "null" : value);
    }
    on_void(code, data);
}

static int by_name(const void *one, const void *other) { return strcmp(*(char *const *)one, *(char *const *)other); }

static void on_names(int code, const struct String_vector *names, const void *data) {
    struct call *call = (struct call *)data;
    call->text[0] = 0;
    if (names != NULL) {
        qsort(names->data, names->count, sizeof(char *), by_name);
        for (int index = 0; index < names->count; index++) {
            strncat(call->text, " ", TEXT_MAX - strlen(call->text) - 1);
            strncat(call->text, names->data[index], TEXT_MAX - strlen(call->text) - 1);
        }
    }
    on_void(code, data);
}

static void on_names_stat(int code, const struct String_vector *names, const struct Stat *stat, const void *data) {
    (void)stat;
    on_names(code, names, data);
}

static void on_acl(int code, struct ACL_vector *acl, struct Stat *stat, const void *data) {
    struct call *call = (struct call *)data;
    call->text[0] = 0;
    if (acl != NULL && acl->count == 1) {
        struct ACL *only = &acl->data[0];
        snprintf(call->text, TEXT_MAX, "%d %s %s %d", only->perms, only->id.scheme, only->id.id, stat->aversion);
    }
    on_void(code, data);
}

static void say_call(struct call *call) {
    finish(call);
    say("%d %s", call->code, call->code == 0 ? call->text : "");
}

/* The code of what was asked; what cannot even be asked is an end. */
#define ASK(request)                                  \
    do {                                              \
        if ((request) != ZOK) fail("not asked: " #request); \
    } while (0)

static void create(zhandle_t *client, const char *path, const char *value, int mode) {
    struct call call = {0};
    ASK(zoo_acreate(client, path, value, value == NULL ? -1 : (int)strlen(value), &ZOO_OPEN_ACL_UNSAFE, mode, on_string, &call));
    say_call(&call);
}

static void change(zhandle_t *client, const char *path, const char *value, int version) {
    struct call call = {0};
    ASK(zoo_aset(client, path, value, strlen(value), version, on_stat, &call));
    say_call(&call);
}

static void erase(zhandle_t *client, const char *path, int version) {
    struct call call = {0};
    ASK(zoo_adelete(client, path, version, on_void, &call));
    say_call(&call);
}

static void read_data(zhandle_t *client, const char *path, watcher_fn watcher) {
    struct call call = {0};
    ASK(zoo_awget(client, path, watcher, NULL, on_data, &call));
    say_call(&call);
}

static void read_stat(zhandle_t *client, const char *path, watcher_fn watcher) {
    struct call call = {0};
    ASK(zoo_awexists(client, path, watcher, NULL, on_stat, &call));
    say_call(&call);
}

static void read_names(zhandle_t *client, const char *path, watcher_fn watcher) {
    struct call call = {0};
    ASK(zoo_awget_children(client, path, watcher, NULL, on_names, &call));
    say_call(&call);
}

static void synchronize(zhandle_t *client, const char *path) {
    struct call call = {0};
    ASK(zoo_async(client, path, on_string, &call));
    say_call(&call);
}

static int is_connected(const void *about) { return zoo_state((zhandle_t *)about) == ZOO_CONNECTED_STATE; }

static zhandle_t *connect_client(int index, const char *hosts) {
    clients[index] = zookeeper_init(hosts, on_event, TIMEOUT_MS, NULL, NULL, 0);
    if (clients[index] == NULL) fail("no handle");
    until("not connected", is_connected, clients[index]);
    return clients[index];
}

static void close_client(int index) {
    zhandle_t *client = clients[index];
    clients[index] = NULL;
    say("closed %d", zookeeper_close(client));
}

static void znodes(void) {
    zhandle_t *one = clients[0];
    struct call call = {0};
    create(one, ROOT, "first", 0);
    read_data(one, ROOT, NULL);
    change(one, ROOT, "second", 0);
    change(one, ROOT, "third", 0);
    create(one, ROOT, "again", 0);
    create(one, ROOT "/null", NULL, 0);
    read_data(one, ROOT "/null", NULL);
    create(one, ROOT "/e", "", ZOO_EPHEMERAL);
    create(one, ROOT "/s-", "", ZOO_SEQUENCE);
    create(one, ROOT "/s-", "", ZOO_SEQUENCE | ZOO_EPHEMERAL);
    ASK(zoo_acreate2(one, ROOT "/two", "2", 1, &ZOO_OPEN_ACL_UNSAFE, 0, on_string_stat, &call));
    say_call(&call);
    read_names(one, ROOT, NULL);
    ASK(zoo_aget_children2(one, ROOT, 0, on_names_stat, &call));
    say_call(&call);
    read_stat(one, ROOT "/e", NULL);
    read_stat(one, ROOT "/none", NULL);
    erase(one, ROOT, -1);
    erase(one, ROOT "/two", 7);
    erase(one, ROOT "/two", 0);
    ASK(zoo_aget_acl(one, ROOT, on_acl, &call));
    say_call(&call);
    ASK(zoo_aset_acl(one, ROOT, 0, &ZOO_OPEN_ACL_UNSAFE, on_void, &call));
    finish(&call);
    say("acl %d", call.code);
    synchronize(one, ROOT);
}

static void watches(void) {
    zhandle_t *one = clients[0], *two = clients[1];
    struct call call = {0};
    synchronize(two, "/");
    create(one, ROOT "/watched", "", 0);
    synchronize(two, ROOT);
    read_data(one, ROOT "/watched", on_event);
    change(two, ROOT "/watched", "new", -1);
    say_event();
    read_names(one, ROOT "/watched", on_event);
    create(two, ROOT "/watched/child", "", 0);
    say_event();
    synchronize(one, ROOT);
    read_stat(one, ROOT "/watched/child", on_event);
    erase(two, ROOT "/watched/child", -1);
    say_event();
    read_stat(one, ROOT "/watched/late", on_event);
    /* The library calls what it is given here as a completion, whatever the type of its argument says. */
    ASK(zoo_aremove_watches(one, ROOT "/watched/late", ZWATCHTYPE_DATA, on_event, NULL, 0, (void_completion_t *)on_void, &call));
    finish(&call);
    say("removed %d, events left %d", call.code, is_set(&events_told) - events_taken);
}

static void say_results(int count, const zoo_op_result_t *results) {
    for (int index = 0; index < count; index++) say("part %d", results[index].err);
}

static void multis(void) {
    zhandle_t *one = clients[0];
    struct call call = {0};
    char name[TEXT_MAX];
    struct Stat stat;
    zoo_op_t good[4], bad[3];
    zoo_op_result_t results[4];
    zoo_create_op_init(&good[0], ROOT "/m", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, name, TEXT_MAX);
    zoo_set_op_init(&good[1], ROOT "/m", "2", 1, 0, &stat);
    zoo_check_op_init(&good[2], ROOT "/m", 1);
    zoo_delete_op_init(&good[3], ROOT "/m", 1);
    ASK(zoo_amulti(one, 4, good, results, on_void, &call));
    finish(&call);
    say("multi %d %s %d", call.code, name, stat.version);
    say_results(4, results);
    zoo_create_op_init(&bad[0], ROOT "/n", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, name, TEXT_MAX);
    zoo_check_op_init(&bad[1], ROOT, 99);
    zoo_delete_op_init(&bad[2], ROOT "/watched", -1);
    ASK(zoo_amulti(one, 3, bad, results, on_void, &call));
    finish(&call);
    say("multi %d", call.code);
    say_results(3, results);
    read_stat(one, ROOT "/n", NULL);
}

static void containers(void) { create(clients[0], ROOT "/box", "", ZOO_CONTAINER); }

static void times_to_live(void) {
    struct call call = {0};
    ASK(zoo_acreate_ttl(clients[0], ROOT "/ttl", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL, 3600000, on_string, &call));
    say_call(&call);
}

static void end_of_session(const char *hosts) {
    zhandle_t *third = connect_client(2, hosts);
    create(third, ROOT "/third", "", ZOO_EPHEMERAL);
    synchronize(clients[0], ROOT);
    read_stat(clients[0], ROOT "/third", on_event);
    close_client(2);
    say_event();
    read_stat(clients[0], ROOT "/third", NULL);
}

static void identities(const char *hosts) {
    zhandle_t *owner = connect_client(2, hosts);
    struct call call = {0};
    ASK(zoo_add_auth(owner, "digest", "user:secret", 11, on_void, &call));
    say_call(&call);
    ASK(zoo_acreate(owner, ROOT "/own", "o", 1, &ZOO_CREATOR_ALL_ACL, 0, on_string, &call));
    say_call(&call);
    ASK(zoo_aget_acl(owner, ROOT "/own", on_acl, &call));
    say_call(&call);
    synchronize(clients[0], ROOT "/own");
    read_data(clients[0], ROOT "/own", NULL);
    change(clients[0], ROOT "/own", "x", -1);
    read_data(owner, ROOT "/own", NULL);
    close_client(2);
}

static int server_port(zhandle_t *client) {
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    if (zookeeper_get_connected_host(client, (struct sockaddr *)&address, &length) == NULL) return 0;
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static int old_port;

static int is_elsewhere(const void *about) {
    zhandle_t *client = (zhandle_t *)about;
    if (zoo_state(client) != ZOO_CONNECTED_STATE) return 0;
    int port = server_port(client);
    return port != 0 && port != old_port;
}

/* The session, its ephemeral and its watch outlive the server that the client is connected to. */
static void kill_server(const char *hosts) {
    char answer[TEXT_MAX];
    zhandle_t *client = connect_client(2, hosts);
    int64_t session = zoo_client_id(client)->client_id;
    create(client, ROOT "/alive", "", ZOO_EPHEMERAL);
    read_stat(client, ROOT "/after", on_event);
    old_port = server_port(client);
    say("kill %d", old_port);
    if (fgets(answer, TEXT_MAX, stdin) == NULL || strcmp(answer, "killed\n") != 0) fail("the server was not killed");
    until("not connected again", is_elsewhere, client);
    say("same session %d", session == zoo_client_id(client)->client_id);
    read_stat(client, ROOT "/alive", NULL);
    create(client, ROOT "/after", "", 0);
    say_event();
    close_client(2);
}

static int begin(const char *section, const char *needs) {
    if (needs[0] != 0 && strstr(features, needs) == NULL) return 0;
    say("== %s", section);
    return 1;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    const char *hosts = arguments[1];
    features = arguments[2];
    zoo_set_debug_level(0);
    connect_client(0, hosts);
    connect_client(1, hosts);
    if (begin("znodes", "")) znodes();
    if (begin("watches", "")) watches();
    if (begin("multis", "")) multis();
    if (begin("containers", "containers")) containers();
    if (begin("times to live", "ttl")) times_to_live();
    if (begin("identities", "acl")) identities(hosts);
    if (begin("end of a session", "")) end_of_session(hosts);
    if (begin("a server is killed", "")) kill_server(hosts);
    fflush(stdout);
    _exit(0);
}
