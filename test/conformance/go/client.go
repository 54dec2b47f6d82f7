// What a Go program does with go-zookeeper, printed in sections. Arguments: host:port,... Asks for the kill of its server.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/samuel/go-zookeeper/zk"
)

const patience = 120 * time.Second

type quiet struct{}

func (quiet) Printf(string, ...interface{}) {}

var hosts []string

func say(words ...interface{}) { fmt.Println(words...) }

func section(name string) { say("==", name) }

func must(err error) {
	if err != nil {
		say("failed:", err)
		os.Exit(1)
	}
}

// The events of a session are taken off its channel, which holds but a few.
func connect(first int) (*zk.Conn, func() []string) {
	order := append(append([]string{}, hosts[first:]...), hosts[:first]...)
	conn, events, err := zk.Connect(order, 30*time.Second, zk.WithLogger(quiet{}))
	must(err)
	states := make(chan string, 1000)
	go func() {
		for event := range events {
			if event.Type == zk.EventSession {
				states <- event.State.String()
			}
		}
	}()
	told := func() []string {
		seen := []string{}
		for {
			select {
			case state := <-states:
				seen = append(seen, state)
			default:
				return seen
			}
		}
	}
	until(func() bool { return conn.State() == zk.StateHasSession })
	return conn, told
}

func until(condition func() bool) {
	for end := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			say("waited in vain")
			os.Exit(1)
		}
	}
}

func next(events <-chan zk.Event) string {
	select {
	case event := <-events:
		return fmt.Sprint(event.Type, " ", event.Path, " ", event.Err)
	case <-time.After(patience):
		return "nothing"
	}
}

func stat(of *zk.Stat) string {
	return fmt.Sprint(of.Version, of.Cversion, of.Aversion, of.DataLength, of.NumChildren, of.EphemeralOwner != 0)
}

var open = zk.WorldACL(zk.PermAll)

func create(conn *zk.Conn, path string, data string, flags int32) {
	name, err := conn.Create(path, []byte(data), flags, open)
	say("create", name, err)
}

func znodes(one *zk.Conn) {
	create(one, "/go", "first", 0)
	create(one, "/go", "again", 0)
	create(one, "/go/e", "", zk.FlagEphemeral)
	create(one, "/go/s-", "", zk.FlagSequence)
	create(one, "/go/s-", "", zk.FlagSequence|zk.FlagEphemeral)
	create(one, "/go/e/below", "", 0)
	create(one, "/go/none/below", "", 0)
	data, about, err := one.Get("/go")
	say("get", string(data), stat(about), err)
	_, _, err = one.Get("/go/none")
	say("get", err)
	about, err = one.Set("/go", []byte("second"), 0)
	say("set", stat(about), err)
	_, err = one.Set("/go", nil, 7)
	say("set", err)
	names, about, err := one.Children("/go")
	sort.Strings(names)
	say("children", names, stat(about), err)
	found, about, err := one.Exists("/go/e")
	say("exists", found, stat(about), err)
	found, _, err = one.Exists("/go/none")
	say("exists", found, err)
	say("delete", one.Delete("/go", -1), one.Delete("/go/e", 3), one.Delete("/go/e", 0), one.Delete("/go/e", -1))
	path, err := one.Sync("/go")
	say("sync", path, err)
	protected, err := one.CreateProtectedEphemeralSequential("/go/p-", nil, open)
	say("protected", strings.HasPrefix(protected, "/go/_c_"), protected[len(protected)-10:], err)
	must(one.Delete(protected, -1))
}

func acls(one *zk.Conn, two *zk.Conn) {
	list, about, err := one.GetACL("/go")
	say("acl", list, stat(about), err)
	about, err = one.SetACL("/go/s-0000000001", zk.WorldACL(zk.PermRead), 0)
	say("set acl", stat(about), err)
	must(two.AddAuth("digest", []byte("user:secret")))
	name, err := two.Create("/go/own", []byte("o"), 0, zk.DigestACL(zk.PermAll, "user", "secret"))
	say("own", name, err)
	name, err = two.Create("/go/auth", []byte("o"), 0, zk.AuthACL(zk.PermAll))
	say("auth", name, err)
	list, _, err = two.GetACL("/go/auth")
	say("acl", list, err)
	_, err = one.Sync("/go")
	must(err)
	_, _, err = one.Get("/go/own")
	say("other", err)
	say("other", one.Delete("/go/own", -1))
	_, err = one.SetACL("/go/own", open, -1)
	say("other", err)
	data, _, err := two.Get("/go/own")
	say("owner", string(data), err)
	_, err = one.Create("/go/bad", nil, 0, []zk.ACL{})
	say("no list", err)
}

func watches(one *zk.Conn, two *zk.Conn) {
	create(one, "/go/watched", "", 0)
	_, err := two.Sync("/go")
	must(err)
	_, _, events, err := one.GetW("/go/watched")
	must(err)
	_, err = two.Set("/go/watched", []byte("new"), -1)
	must(err)
	say(next(events))
	_, _, events, err = one.ChildrenW("/go/watched")
	must(err)
	create(two, "/go/watched/child", "", 0)
	say(next(events))
	_, err = one.Sync("/go")
	must(err)
	_, _, events, err = one.ExistsW("/go/watched/child")
	must(err)
	must(two.Delete("/go/watched/child", -1))
	say(next(events))
	_, _, events, err = one.ExistsW("/go/later")
	must(err)
	create(two, "/go/later", "", 0)
	say(next(events))
}

func multis(one *zk.Conn) {
	show := func(results []zk.MultiResponse, err error) {
		for _, result := range results {
			version := int32(-1)
			if result.Stat != nil {
				version = result.Stat.Version
			}
			say("part", result.String, version, result.Error)
		}
		say("multi", err)
	}
	show(one.Multi(
		&zk.CreateRequest{Path: "/go/m", Data: []byte("1"), Acl: open, Flags: 0},
		&zk.SetDataRequest{Path: "/go/m", Data: []byte("2"), Version: 0},
		&zk.CheckVersionRequest{Path: "/go/m", Version: 1},
		&zk.CreateRequest{Path: "/go/m/s-", Acl: open, Flags: zk.FlagSequence},
		&zk.DeleteRequest{Path: "/go/m/s-0000000000", Version: -1},
	))
	show(one.Multi(
		&zk.CreateRequest{Path: "/go/n", Data: []byte("1"), Acl: open, Flags: 0},
		&zk.CheckVersionRequest{Path: "/go/m", Version: 99},
	))
	found, _, err := one.Exists("/go/n")
	say("rolled back", !found, err)
}

func locks(one *zk.Conn, two *zk.Conn) {
	first, second := zk.NewLock(one, "/go/lock", open), zk.NewLock(two, "/go/lock", open)
	must(first.Lock())
	say("locked", first.Lock())
	got := make(chan error, 1)
	go func() { got <- second.Lock() }()
	until(func() bool {
		_, err := one.Sync("/go/lock")
		must(err)
		names, _, err := one.Children("/go/lock")
		return err == nil && len(names) == 2
	})
	say("held", len(got) == 0)
	must(first.Unlock())
	say("handed on", <-got)
	must(second.Unlock())
	say("unlocked", second.Unlock())
}

// What the package reads out of four-letter words.
func words(one *zk.Conn) {
	servers := []string{one.Server()}
	say("ruok", zk.FLWRuok(servers, 10*time.Second))
	stats, fine := zk.FLWSrvr(servers, 10*time.Second)
	say("srvr", fine, stats[0].Error, strings.HasPrefix(stats[0].Version, "3."), stats[0].NodeCount > 0, stats[0].Connections > 0)
	clients, fine := zk.FLWCons(servers, 10*time.Second)
	say("cons", fine, clients[0].Error)
	for _, client := range clients[0].Clients {
		if client.SessionID == one.SessionID() {
			say("mine", client.Timeout, client.Error, client.Sent > 0, client.Received > 0, client.LastOperation)
		}
	}
}

func killed() {
	mine, states := connect(1)
	session := mine.SessionID()
	create(mine, "/go/alive", "", zk.FlagEphemeral)
	_, _, events, err := mine.ExistsW("/go/after")
	must(err)
	say("states", states())
	server := mine.Server()
	say("kill", server[strings.LastIndex(server, ":")+1:])
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	must(err)
	if answer != "killed\n" {
		say("the server was not killed")
		os.Exit(1)
	}
	until(func() bool { return mine.State() == zk.StateHasSession && mine.Server() != server })
	seen := states()
	say("states", seen[0], seen[len(seen)-1])
	say("same session", session == mine.SessionID())
	_, about, err := mine.Exists("/go/alive")
	must(err)
	say("mine", about.EphemeralOwner == session)
	create(mine, "/go/after", "", 0)
	say(next(events))
	mine.Close()
}

func main() {
	hosts = strings.Split(os.Args[1], ",")
	one, _ := connect(0)
	two, _ := connect(2)
	section("znodes")
	znodes(one)
	section("lists of access")
	acls(one, two)
	section("watches")
	watches(one, two)
	section("multis")
	multis(one)
	section("locks")
	locks(one, two)
	section("four-letter words")
	words(one)
	one.Close()
	two.Close()
	section("a server is killed")
	killed()
}
