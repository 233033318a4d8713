// The threads of our operations.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

// A few threads that share one task at a time; whoever finds them busy does its work alone. To wake a thread takes as long
// as a small task, so threads look around for a while before they sleep, and let others go first meanwhile.
class Workers {
 public:
  const int threads;
  explicit Workers(int n) : threads(n) {
    for (int i = 1; i < n; i++) std::thread([this] { serve(); }).detach();
  }
  // task(i) for i = 0 ... parts - 1
  void run(int parts, const std::function<void(int)>& task) {
    if (parts <= 1 || !busy_.try_lock()) {
      for (int i = 0; i < parts; i++) task(i);
      return;
    }
    {
      std::lock_guard<std::mutex> hold(mutex_);
      task_ = &task;
      parts_ = parts;
      next_ = 0;
      left_ = parts;
      round_++;
    }
    if (asleep_ > 0) wake_.notify_all();
    work();
    await([this] { return left_ == 0; }, LAST);
    std::unique_lock<std::mutex> hold(mutex_);
    done_.wait(hold, [this] { return left_ == 0; });
    task_ = nullptr;
    hold.unlock();
    busy_.unlock();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds LAST{200}, NEXT{400};

  template <typename F> void await(F ready, std::chrono::microseconds most) {
    for (const auto until = Clock::now() + most; !ready() && Clock::now() < until;) std::this_thread::yield();
  }
  void serve() {
    for (int64_t seen = 0;;) {
      await([&] { return round_ != seen; }, NEXT);
      {
        std::unique_lock<std::mutex> hold(mutex_);
        asleep_++;
        wake_.wait(hold, [&] { return round_ != seen; });
        asleep_--;
        seen = round_;
      }
      work();
    }
  }
  void work() {
    for (;;) {
      const std::function<void(int)>* task;
      int part;
      {
        std::lock_guard<std::mutex> hold(mutex_);
        if (task_ == nullptr || next_ >= parts_) return;
        part = next_++;
        task = task_;
      }
      (*task)(part);
      std::lock_guard<std::mutex> hold(mutex_);
      if (--left_ == 0) done_.notify_all();
    }
  }
  std::mutex busy_, mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int)>* task_ = nullptr;
  int parts_ = 0, next_ = 0;
  std::atomic<int> left_{0}, asleep_{0};
  std::atomic<int64_t> round_{0};
};
inline Workers& workers() {
  // never destroyed: its threads live as long as the process
  static Workers* all = new Workers(std::max(1u, std::thread::hardware_concurrency()));
  return *all;
}
