// A library that TensorFlow's addon is linked with. TF_CPP_MIN_LOG_LEVEL is heeded only by logs after
// absl::InitializeLog, which the C library never calls, so each process would begin with lines about oneDNN and CPU
// features. They come from TensorFlow's own start-up, hence a library apart that the loader starts first (-z initfirst).
#include <cstdlib>

// absl::SetMinLogLevel as the pinned libtensorflow_framework exports it; weak, so that another release still loads.
extern "C" void set_min_log_level(int level)
    __asm__("_ZN4absl12lts_2025081414SetMinLogLevelENS0_18LogSeverityAtLeastE") __attribute__((weak));

__attribute__((constructor)) static void heed_log_level() {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level != nullptr && set_min_log_level != nullptr) set_min_log_level(std::atoi(level));
}
