// java PaintWithoutRedirects.java PROMPT OUT_DIR [NUM_IMAGES]
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

public class PaintWithoutRedirects {
    static final String API = System.getenv("APIXO_BASE_URL") + "/api/v1";
    static final String KEY = System.getenv("APIXO_API_KEY");
    static final HttpClient HTTP = HttpClient.newBuilder()
        .connectTimeout(Duration.ofSeconds(10)).build();

    static double setting(String name, double otherwise) {
        String value = System.getenv(name);
        return value == null ? otherwise : Double.parseDouble(value);
    }

    static void sleep(double seconds) throws InterruptedException {
        Thread.sleep((long) (1000 * seconds));
    }

    static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(API + path))
            .timeout(Duration.ofSeconds(30)).header("Authorization", "Bearer " + KEY);
    }

    /** Send a request. Its own timeout ends with the headers; this one covers the body, too. */
    static <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler) throws Exception {
        try {
            return HTTP.sendAsync(request, handler).get(30, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException error) {
            throw new java.io.IOException(error.toString(), error);
        }
    }

    /** Return the text of a member, unescaped; the answers of this API need no more than that. */
    static Optional<String> member(String json, String name) {
        var found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(json);
        return found.find()
            ? Optional.of(found.group(1).replace("\\\"", "\"").replace("\\/", "/").replace("\\\\", "\\"))
            : Optional.empty();
    }

    static double pause(HttpResponse<?> response, int attempt) {
        String value = response.headers().firstValue("Retry-After").orElse(null);
        if (value == null) return Math.pow(2, attempt);
        if (value.matches("\\d+")) return Integer.parseInt(value);
        var format = DateTimeFormatter.RFC_1123_DATE_TIME;
        var now = ZonedDateTime.parse(response.headers().firstValue("Date").orElseThrow(), format);
        return Duration.between(now, ZonedDateTime.parse(value, format)).toSeconds();
    }

    static String submit(String prompt, String numImages) throws Exception {
        String escaped = prompt.replace("\\", "\\\\").replace("\"", "\\\"");
        String body = "{\"input\": {\"mode\": \"gpt-image-1\", \"prompt\": \"" + escaped
            + "\", \"num_images\": " + numImages + "}}";
        for (int attempt = 0; ; attempt++) {
            var response = send(request("/generateTask/gpt-image-1")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
            if (response.statusCode() == 200) {
                return member(response.body(), "taskId")
                    .orElseThrow(() -> new IllegalStateException("submit: no task id"));
            }
            if (response.statusCode() != 429 || attempt == 4) {
                throw new IllegalStateException("submit: " + response.statusCode() + " " + response.body());
            }
            sleep(pause(response, attempt));
        }
    }

    static String[] waitForResults(String taskId) throws Exception {
        double interval = setting("POLL_INTERVAL", 3);
        long end = System.nanoTime() + (long) (1e9 * setting("DEADLINE", 300));
        String query = "?taskId=" + URLEncoder.encode(taskId, StandardCharsets.UTF_8);
        sleep(setting("FIRST_WAIT", 20));
        for (int errors = 0; System.nanoTime() < end; ) {
            double pause = interval;
            String state = "";
            String body = "";
            try {
                var response = send(
                    request("/statusTask/gpt-image-1" + query).build(), BodyHandlers.ofString());
                int status = response.statusCode();
                if (status >= 400 && status < 500 && status != 429) {
                    throw new IllegalStateException("status: " + status);
                }
                body = response.body();
                if (status == 200) state = member(body, "state").orElse("");
                else {
                    System.err.println("status: " + status);
                    pause = Math.max(pause, pause(response, errors));
                }
            } catch (java.io.IOException error) {
                System.err.println("status: " + error);
            }
            if (state.equals("success") && body.trim().endsWith("}")) {
                String urls = member(body, "resultJson").orElseThrow();
                return urls.replaceAll("(?s)^.*\\[\\s*\"|\"\\s*\\].*$", "").split("\"\\s*,\\s*\"");
            }
            if (state.equals("failed") && body.trim().endsWith("}")) {
                throw new IllegalStateException(
                    member(body, "failCode").orElse("?") + ": " + member(body, "failMsg").orElse(""));
            }
            errors = state.isEmpty() ? errors + 1 : 0;
            if (errors > 5) throw new IllegalStateException("status: too many errors");
            sleep(pause);
        }
        throw new IllegalStateException("the task did not end in time");
    }

    static byte[] download(String url) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(60)).build();
        for (int attempt = 0; attempt < 4; attempt++) {
            try {
                var response = send(request, BodyHandlers.ofByteArray());
                byte[] picture = response.body();
                if (response.statusCode() < 400) {
                    return picture;
                }
            } catch (java.io.IOException error) {
                System.err.println("download: " + error);
            }
            sleep(0.4 * Math.pow(2, attempt));
        }
        throw new IllegalStateException("a picture could not be downloaded");
    }

    public static void main(String[] args) throws Exception {
        try {
            String[] urls = waitForResults(submit(args[0], args.length > 2 ? args[2] : "1"));
            for (int i = 0; i < urls.length; i++) {
                Files.write(Path.of(args[1], (i + 1) + ".png"), download(urls[i]));
            }
            System.out.println(urls.length + " pictures");
        } catch (IllegalStateException | java.io.IOException error) {
            System.err.println("error: " + error.getMessage());
            System.exit(1);
        }
    }
}
