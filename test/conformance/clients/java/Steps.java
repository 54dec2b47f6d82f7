import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * What the programs beside this file have in common: they do their work section by section and print what they see. A section that fails
 * says why, and the next one begins; a program with such a section ends with exit code 1.
 */
final class Steps {
    interface Body {
        void run() throws Exception;
    }

    private static final long WAIT_MS = 60_000;
    private static final BufferedReader IN = new BufferedReader(new InputStreamReader(System.in));
    private static List<String> features = List.of();
    private static boolean failed;

    private Steps() {}

    /** `has`: the features of the servers, divided by commas. A section that needs another one is left out. */
    static void begin(String has) {
        features = Arrays.asList(has.split(","));
    }

    /** Ends the process: threads of a client that waits in vain must not keep it. */
    static void end() {
        System.out.flush();
        Runtime.getRuntime().halt(failed ? 1 : 0);
    }

    static void section(String name, Body body) {
        section(name, "", body);
    }

    static void section(String name, String needs, Body body) {
        if (!needs.isEmpty() && !features.contains(needs)) {
            return;
        }
        say("==", name);
        try {
            body.run();
        } catch (Exception | AssertionError error) {
            failed = true;
            say("failed:", error);
            error.printStackTrace();
        }
    }

    static synchronized void say(Object... words) {
        StringBuilder line = new StringBuilder();
        for (Object word : words) {
            line.append(line.length() == 0 ? "" : " ").append(word);
        }
        System.out.println(line);
        System.out.flush();
    }

    /** Says the class of what is thrown. */
    static void refused(Callable<?> call) {
        try {
            say("not refused:", call.call());
        } catch (Exception error) {
            say("refused:", error.getClass().getSimpleName());
        }
    }

    /** Waits until it is so: another server may not have been told yet. */
    static void until(String what, Callable<Boolean> isSo) throws Exception {
        long startedMs = System.currentTimeMillis();
        while (!isSo.call()) {
            if (System.currentTimeMillis() - startedMs > WAIT_MS) {
                throw new AssertionError("waited in vain: " + what);
            }
            Thread.sleep(5);
        }
    }

    /** Waits for a thread of its own to come to its end. */
    static void join(Thread thread) throws Exception {
        thread.join(WAIT_MS);
        if (thread.isAlive()) {
            throw new AssertionError("a thread did not end: " + thread.getName());
        }
    }

    static Thread start(String name, Body body) {
        Thread thread = new Thread(() -> {
            try {
                body.run();
            } catch (Exception | AssertionError error) {
                failed = true;
                say("failed:", name, error);
                error.printStackTrace();
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Has the server killed whose client port this is, and goes on when it is dead. The line is for the test, which leaves it out. */
    static void kill(int port) throws Exception {
        say("kill", port);
        if (!"killed".equals(IN.readLine())) {
            throw new AssertionError("the server was not killed");
        }
    }

    /** The port that a client's description names as its server's. */
    static int serverPort(Object zooKeeper) {
        String text = zooKeeper.toString();
        String server = text.replaceAll("(?s).*remoteserver:[^ ]*:(\\d+) .*", "$1");
        return Integer.parseInt(server);
    }
}
