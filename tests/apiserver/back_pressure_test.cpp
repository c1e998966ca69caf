#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "apiserver/exec_session.h"
#include "apiserver/forwarded_connection.h"
#include "core/base/guarded.h"

namespace kin::apiserver {
namespace {

constexpr size_t kMuch = 400u << 10;  // More than a session keeps for a process and a pipe holds.

/// A client of which nothing is read while it is paused.
class FakeWire : public ExecWire {
public:
    struct Client {
        Events events;
        bool paused = false;
    };
    explicit FakeWire(std::shared_ptr<Client> client) : client_(std::move(client)) {}
    void start(Loop&, Events events, std::function<void()> on_ready) override {
        client_->events = std::move(events);
        on_ready();
    }
    void send(Channel, std::string_view) override {}
    size_t queued_bytes() const override { return 0; }
    void pause_reading() override { client_->paused = true; }
    void resume_reading() override { client_->paused = false; }
    void finish(const Json&) override {}

private:
    const std::shared_ptr<Client> client_;
};

/// A pod that answers when the test says so, with a pipe of the test's.
class LatePod : public PodAccess {
public:
    void exec(ExecRequest, Started started, Exited) override { started_ = std::move(started); }
    void attach(ExecRequest, Started, Exited) override {}
    void connect(const ObjectKey&, uint16_t,
                 std::function<void(Answer<UniqueFd>)> connected) override {
        connected_ = std::move(connected);
    }
    void find_log(LogRequest, std::function<void(Answer<LogFile>)>) override {}
    std::shared_ptr<void> follow_log(const std::string&, std::function<void(bool)>) override {
        return nullptr;
    }

    void start(UniqueFd stdin_write) {
        ExecStreams streams;
        streams.stdin_write = std::move(stdin_write);
        started_(std::move(streams));
    }
    void connect(UniqueFd socket) { connected_(std::move(socket)); }

private:
    Started started_;
    std::function<void(Answer<UniqueFd>)> connected_;
};

struct Pipe {
    Pipe() {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        read.reset(ends[0]);
        write.reset(ends[1]);
    }
    UniqueFd read, write;
};

class BackPressureTest : public testing::Test {
protected:
    ~BackPressureTest() override {
        loop_.call([this] { session_.reset(); });
    }
    void open_session() {
        loop_.call([this] {
            session_ =
                std::make_shared<ExecSession>(loop_, std::make_unique<FakeWire>(client_), [] {});
            PodAccess::ExecRequest request;
            request.want_stdin = true;
            request.want_stdout = request.want_stderr = false;
            session_->start(pod_, request, ExecSession::Mode::kExec);
        });
    }
    void send_much() {
        loop_.call([this] { client_->events.on_stdin(std::string(kMuch, 'x')); });
    }
    bool paused() {
        bool is = false;
        loop_.call([&] { is = client_->paused; });
        return is;
    }

    Loop loop_{"streams"};
    LatePod pod_;
    const std::shared_ptr<FakeWire::Client> client_ = std::make_shared<FakeWire::Client>();
    std::shared_ptr<ExecSession> session_;
};

TEST_F(BackPressureTest, AClientThatWaitedForTheStartIsReadOnWhenTheProcessTakesAllAtOnce) {
    Pipe pipe;
    ASSERT_GE(::fcntl(pipe.write.get(), F_SETPIPE_SZ, 1 << 20), static_cast<int>(kMuch));
    open_session();
    send_much();
    EXPECT_TRUE(paused());
    pod_.start(std::move(pipe.write));
    loop_.call([] {});  // The answer was posted; it has been heard after this.
    EXPECT_FALSE(paused());
}

TEST_F(BackPressureTest, AClientThatWaitedIsReadOnWhenTheProcessHasReadAll) {
    Pipe pipe;
    open_session();
    send_much();
    pod_.start(std::move(pipe.write));
    EXPECT_TRUE(paused());
    std::string bytes(kMuch, 0);
    for (size_t got = 0; got < kMuch;) {
        const ssize_t count = ::read(pipe.read.get(), bytes.data(), bytes.size());
        ASSERT_GT(count, 0);
        got += static_cast<size_t>(count);
    }
    // The loop wrote the last of it before it turned to this.
    EXPECT_FALSE(paused());
}

TEST_F(BackPressureTest, AClientThatWaitedIsReadOnWhenTheProcessClosesItsStdin) {
    Pipe pipe;
    open_session();
    pod_.start(std::move(pipe.write));
    loop_.call([] {});
    send_much();
    EXPECT_TRUE(paused());
    pipe.read.reset();
    while (paused()) std::this_thread::yield();  // The runner's deadline ends a test that hangs.
    loop_.call([this] { client_->events.on_stdin("more, for nobody"); });
    EXPECT_FALSE(paused());
}

TEST_F(BackPressureTest, APortForwardThatWaitedForItsConnectionGoesOn) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    UniqueFd here(ends[0]), there(ends[1]);
    size_t drained = 0;
    std::shared_ptr<ForwardedConnection> connection;
    loop_.call([&] {
        connection = std::make_shared<ForwardedConnection>(
            loop_, ForwardedConnection::Events{.on_bytes = [](std::string_view) {},
                                               .on_end = [] {},
                                               .on_failed = [](const std::string&) {},
                                               .on_drained = [&] { ++drained; }});
        connection->open(pod_, {"default", "web"}, 80);
        connection->send("hello");
    });
    pod_.connect(std::move(here));
    loop_.call([&] {
        EXPECT_EQ(drained, 1u);
        EXPECT_EQ(connection->waiting_bytes(), 0u);
        connection.reset();
    });
}

}  // namespace
}  // namespace kin::apiserver
