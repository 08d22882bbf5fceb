#include "units/job_tracker.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace keyturn {

namespace asio = boost::asio;

namespace {

constexpr SignalKind job_removed{"org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                 "org.freedesktop.systemd1.Manager", "JobRemoved"};

}  // namespace

JobResult job_result_of(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, JobResult>, 6> words{{
        {"done", JobResult::done},
        {"canceled", JobResult::canceled},
        {"timeout", JobResult::timeout},
        {"failed", JobResult::failed},
        {"dependency", JobResult::dependency},
        {"skipped", JobResult::skipped},
    }};
    const auto* const found =
        std::find_if(words.begin(), words.end(), [&](const auto& w) { return w.first == word; });
    return found == words.end() ? JobResult::other : found->second;
}

std::shared_ptr<JobTracker> JobTracker::make(Bus& bus, Ended ended) {
    auto tracker = std::make_shared<JobTracker>();
    tracker->ended_ = std::move(ended);
    const std::weak_ptr<JobTracker> weak = tracker;
    bus.on_connect([weak](sd_bus* connection) {
        if (const auto alive = weak.lock()) alive->install(connection);
    });
    bus.on_disconnect([weak] {
        if (const auto alive = weak.lock()) alive->forget();
    });
    tracker->removals_ = SignalListener::make(bus, job_removed, [weak](sd_bus_message* signal) {
        if (const auto alive = weak.lock()) alive->hear_removal(signal);
    });
    return tracker;
}

/// systemd sends its signals only if some client has subscribed, and each new connection must
/// subscribe again.
void JobTracker::install(sd_bus* bus) {
    sd_bus_call_method_async(bus, nullptr, job_removed.sender, job_removed.path,
                             job_removed.interface, "Subscribe", nullptr, nullptr, "");
}

void JobTracker::forget() {
    for (JobWatch* watch : watches_) watch->lose();
}

void JobTracker::hear_removal(sd_bus_message* signal) {
    std::uint32_t id = 0;
    const char* path = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    if (sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result) <= 0) return;
    for (JobWatch* watch : watches_) {
        JobWatch::Heard heard{path, job_result_of(result)};
        watch->hear(std::move(heard));
    }
    if (ended_) ended_(unit);
}

JobWatch::JobWatch(std::shared_ptr<JobTracker> tracker, asio::any_io_executor executor)
    : tracker_(std::move(tracker)), timer_(std::move(executor)) {
    tracker_->watches_.push_back(this);
    place_ = std::prev(tracker_->watches_.end());
}

JobWatch::~JobWatch() {
    tracker_->watches_.erase(place_);
}

void JobWatch::expect(std::string job_path) {
    path_ = std::move(job_path);
    std::erase_if(heard_, [&](const Heard& heard) { return heard.path != path_; });
}

std::optional<JobResult> JobWatch::result() const {
    if (path_.empty()) return std::nullopt;
    const auto found = std::find_if(heard_.begin(), heard_.end(),
                                    [&](const Heard& heard) { return heard.path == path_; });
    if (found == heard_.end()) return std::nullopt;
    return found->result;
}

Task<> JobWatch::wait(Milliseconds at_most) {
    woken_ = false;
    timer_.expires_after(at_most);
    const auto [failure] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (failure && !woken_) throw boost::system::system_error(asio::error::operation_aborted);
}

void JobWatch::hear(Heard heard) {
    if (!path_.empty() && heard.path != path_) return;
    if (heard_.size() == heard_max) heard_.pop_front();
    heard_.push_back(std::move(heard));
    if (result()) wake();
}

void JobWatch::lose() {
    lost_ = true;
    wake();
}

void JobWatch::wake() {
    woken_ = true;
    timer_.cancel();
}

}  // namespace keyturn
