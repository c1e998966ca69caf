#include <fstream>

#include "pod_streams_fixture.h"
#include "spdy_client.h"

namespace kin::apiserver {
namespace {

using namespace test;

/// Sessions of exec and attach.
class PodExecTest : public PodStreamsTest {
protected:
    /// All that a session says until it closes: what came on each channel, and the close code.
    struct Said {
        std::map<int, std::string> channels;
        Frame close;
        Json status() const { return parse_json(channels.at(3)).value(); }
    };
    static Said listen(RawClient& client) {
        Said said;
        while (true) {
            const Frame frame = read_frame(client);
            if (frame.opcode != kBinary) {
                said.close = frame;
                client.send(closing(1000));
                return said;
            }
            said.channels[frame.payload.at(0)] += frame.payload.substr(1);
        }
    }
    static std::string to_stdin(std::string_view bytes) { return frame(kBinary, cat('\0', bytes)); }
};

TEST_F(PodExecTest, ExecBringsOutputErrorsAndTheExitCode) {
    auto client = open(
        "/web/exec?command=sh&command=-c&command=echo+out%3B+echo+err+%3E%262%3B+exit+7"
        "&stdout=true&stderr=true");
    const Said said = listen(client);
    EXPECT_EQ(said.channels.at(1), "out\n");
    EXPECT_EQ(said.channels.at(2), "err\n");
    EXPECT_EQ(string_at(said.status(), {"reason"}), "NonZeroExitCode");
    EXPECT_EQ(said.status()["details"]["causes"][0]["message"], "7");
    EXPECT_EQ(said.close, close_frame(1000));
}

TEST_F(PodExecTest, StdinReachesTheProcessAndItsEndToo) {
    auto client = open("/web/exec?command=cat&stdin=true&stdout=true");
    const std::string large(3'000'000, 'x');
    std::thread sender([&] {
        for (size_t at = 0; at < large.size(); at += 30'000)
            client.send(to_stdin(large.substr(at, 30'000)));
        client.send(frame(kBinary, std::string("\xff\0", 2)));
    });
    const Said said = listen(client);
    sender.join();
    EXPECT_EQ(said.channels.at(1).size(), large.size());
    EXPECT_EQ(string_at(said.status(), {"status"}), "Success");
}

TEST_F(PodExecTest, ATerminalEchoesAndKnowsItsSize) {
    auto client = open("/web/exec?command=sh&stdin=true&stdout=true&stderr=true&tty=true",
                       "v4.channel.k8s.io");
    client.send(frame(kBinary, "\x04{\"Width\":91,\"Height\":33}"));
    client.send(to_stdin("stty size; tty; exit 3\n"));
    const Said said = listen(client);
    EXPECT_NE(said.channels.at(1).find("33 91\r\n"), std::string::npos) << said.channels.at(1);
    EXPECT_NE(said.channels.at(1).find("/dev/pts/"), std::string::npos) << said.channels.at(1);
    EXPECT_EQ(said.status()["details"]["causes"][0]["message"], "3");
}

TEST_F(PodExecTest, OlderClientsSpeakSpdy) {
    auto client = open_spdy(
        "/web/exec?command=sh&command=-c&command=cat%3B+echo+err+%3E%262%3B+exit+7"
        "&stdin=true&stdout=true&stderr=true",
        "v4.channel.k8s.io");
    SpdyFrames frames;
    uint32_t stream = 1;
    for (const char* type : {"error", "stdin", "stdout", "stderr"}) {
        client.send(frames.open(stream, {{"streamtype", type}}));
        stream += 2;
    }
    client.send(frames.data(3, "hello", false) + frames.data(3, "", true));
    SpdyHeard heard;
    heard.listen([&](size_t size) { return client.read_exactly(size); },
                 [](const SpdyHeard&) { return false; });
    EXPECT_EQ(heard.streams[5].bytes, "hello");
    EXPECT_EQ(heard.streams[7].bytes, "err\n");
    for (const uint32_t ended : {1u, 5u, 7u}) EXPECT_TRUE(heard.streams[ended].ended);
    const auto status = parse_json(heard.streams[1].bytes);
    ASSERT_TRUE(status);
    EXPECT_EQ((*status)["details"]["causes"][0]["message"], "7");
}

TEST_F(PodExecTest, AMissingProgramIsAnErrorNotAnExitCode) {
    auto client = open("/web/exec?command=/no/such&stdout=true");
    const Said said = listen(client);
    EXPECT_EQ(string_at(said.status(), {"reason"}), "InternalError");
    EXPECT_NE(string_at(said.status(), {"message"}).find("no such file"), std::string::npos);
}

TEST_F(PodExecTest, AContainerThatCannotBeEnteredSaysWhy) {
    auto client = open("/web/exec?command=fail&stdout=true");
    const Said said = listen(client);
    EXPECT_NE(string_at(said.status(), {"message"}).find("the container is gone"),
              std::string::npos);
}

TEST_F(PodExecTest, AProcessThatLeavesChildrenBehindStillEnds) {
    auto client =
        open("/web/exec?command=sh&command=-c&command=echo+hi%3B+sleep+5+%26&stdout=true");
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(listen(client).channels.at(1), "hi\n");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

TEST_F(PodExecTest, AClientThatReadsSlowlyLosesNothing) {
    auto client =
        open("/web/exec?command=head&command=-c&command=20000000&command=/dev/zero&stdout=true");
    EXPECT_EQ(listen(client).channels.at(1).size(), 20'000'000u);
}

TEST_F(PodExecTest, AttachJoinsWhatRunsAndItsEndIsASuccess) {
    pods_.attached_command = {"sh", "-c", "read line; echo got $line; exit 9"};
    auto client = open("/web/attach?stdin=true&stdout=true&stderr=true");
    client.send(to_stdin("this\n"));
    const Said said = listen(client);
    EXPECT_EQ(said.channels.at(1), "got this\n");
    EXPECT_EQ(string_at(said.status(), {"status"}), "Success");
}

TEST_F(PodExecTest, AClientThatLeavesClosesTheProcessesStdin) {
    { auto client = open("/web/exec?command=cat&stdin=true&stdout=true"); }
    // FakePods waits for cat in its destructor: it ends only if its stdin did.
}

TEST_F(PodExecTest, AClientThatLeavesEndsTheProcess) {
    {
        auto client = open(
            "/web/exec?command=sh&command=-c&command=echo+here%3B+exec+sleep+1000"
            "&stdout=true");
        EXPECT_EQ(read_frame(client), (Frame{kBinary, "\1"}));
        EXPECT_EQ(read_frame(client), (Frame{kBinary, "\1here\n"}));
    }
    // FakePods waits for the process in its destructor.
}

TEST_F(PodExecTest, AClientThatLeavesIsNoticedAlsoWhenItsStdinIsNotRead) {
    {
        auto client = open("/web/exec?command=sleep&command=1000&stdin=true&stdout=true");
        EXPECT_EQ(read_frame(client), (Frame{kBinary, "\1"}));
        // More than the pipe and the session take: the session stops reading.
        for (int i = 0; i < 16; ++i) client.send(to_stdin(std::string(32'000, 'x')));
    }
}

TEST_F(PodExecTest, WhatCannotBeDoneIsRefusedBeforeTheUpgrade) {
    put("two", R"({"metadata":{"name":"two","namespace":"default","resourceVersion":""},
        "spec":{"nodeName":"n","containers":[{"name":"a"},{"name":"b"}]}})");
    put("done", R"({"metadata":{"name":"done","namespace":"default","resourceVersion":""},
        "spec":{"nodeName":"n","containers":[{"name":"a"}]},"status":{"phase":"Succeeded"}})");
    const auto refusal = [&](const std::string& target) {
        auto client = connect();
        return client.send(handshake(target, "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n"))
            .read_response();
    };
    EXPECT_NE(refusal("/none/exec?command=ls&stdout=1").find("pods \\\"none\\\" not found"),
              std::string::npos);
    EXPECT_NE(refusal("/web/exec?command=ls&stdout=1&container=x")
                  .find("container x is not valid for pod web"),
              std::string::npos);
    EXPECT_NE(refusal("/two/exec?command=ls&stdout=1").find("choose one of: [a b]"),
              std::string::npos);
    EXPECT_NE(refusal("/done/exec?command=ls&stdout=1").find("current phase is Succeeded"),
              std::string::npos);
    EXPECT_TRUE(refusal("/web/exec?stdout=1").starts_with("HTTP/1.1 400"));
    EXPECT_TRUE(refusal("/web/exec?command=ls").starts_with("HTTP/1.1 400"));
    EXPECT_NE(get("/web/exec?command=ls&stdout=1").find("Upgrade request required"),
              std::string::npos);
}

class PodLogTest : public PodStreamsTest {
protected:
    void SetUp() override {
        PodStreamsTest::SetUp();
        pods_.log_path = folder_.file("0.log");
        append("one");
        append("two");
    }
    void append(const std::string& text) {
        std::ofstream(pods_.log_path, std::ios::app)
            << "2026-01-02T03:04:05.000000001Z stdout F " << text << '\n';
    }
    static std::string body(const std::string& response) {
        return response.substr(response.find("\r\n\r\n") + 4);
    }
    const TemporaryFolder folder_;
};

TEST_F(PodLogTest, TheWholeLogIsSent) {
    const std::string response = get("/web/log");
    EXPECT_NE(response.find("Content-Type: text/plain\r\n"), std::string::npos) << response;
    EXPECT_EQ(body(response), "one\ntwo\n");
    EXPECT_EQ(body(get("/web/log?tailLines=1&timestamps=true")),
              "2026-01-02T03:04:05.000000001Z two\n");
}

TEST_F(PodLogTest, FollowingSendsWhatIsAddedUntilTheContainerEnds) {
    pods_.log_running = true;
    auto client = connect();
    client.send("GET /web/log?follow=true HTTP/1.0\r\n\r\n");
    client.read_until("\r\n\r\n");
    EXPECT_EQ(client.read_exactly(8), "one\ntwo\n");
    append("three");
    pods_.tell_log_changed(true);
    EXPECT_EQ(client.read_exactly(6), "three\n");
    append("last");
    pods_.tell_log_changed(false);
    EXPECT_EQ(client.read_to_end(), "last\n");
}

TEST_F(PodLogTest, FollowingGoesOnInTheNextFile) {
    pods_.log_running = true;
    auto client = connect();
    client.send("GET /web/log?follow=true HTTP/1.0\r\n\r\n");
    client.read_until("two\n");
    append("three");
    ASSERT_EQ(::rename(pods_.log_path.c_str(), (pods_.log_path + ".old").c_str()), 0);
    append("four");
    pods_.tell_log_changed(true);
    EXPECT_EQ(client.read_exactly(11), "three\nfour\n");
    append("five");
    pods_.tell_log_changed(false);
    EXPECT_EQ(client.read_to_end(), "five\n");
}

TEST_F(PodLogTest, AFollowerThatLeavesIsForgotten) {
    pods_.log_running = true;
    {
        auto client = connect();
        client.send("GET /web/log?follow=true HTTP/1.1\r\nHost: kin\r\n\r\n");
        client.read_until("two\n");
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (pods_.followers() > 0 && std::chrono::steady_clock::now() < deadline) loop_.call([] {});
    EXPECT_EQ(pods_.followers(), 0u);
}

TEST_F(PodLogTest, ALargeLogArrivesWhole) {
    std::string line(1000, 'l');
    for (int i = 0; i < 10'000; ++i) append(line);
    EXPECT_EQ(body(get("/web/log")).size(), 8u + 10'000u * 1001u);
}

TEST_F(PodLogTest, AContainerThatHasNotStartedHasNoLog) {
    put("new", R"({"metadata":{"name":"new","namespace":"default","resourceVersion":""},
        "spec":{"nodeName":"n","containers":[{"name":"a"}]}})");
    put("homeless", R"({"metadata":{"name":"homeless","namespace":"default","resourceVersion":""},
        "spec":{"containers":[{"name":"a"}]}})");
    EXPECT_NE(get("/new/log")
                  .find(R"(container \"a\" in pod \"new\" is waiting to start: ContainerCreating)"),
              std::string::npos);
    EXPECT_NE(get("/homeless/log").find("pod homeless does not have a host assigned"),
              std::string::npos);
    EXPECT_NE(get("/web/log?previous=true")
                  .find(R"(previous terminated container \"c\" in pod \"web\" not found)"),
              std::string::npos);
}

}  // namespace
}  // namespace kin::apiserver
