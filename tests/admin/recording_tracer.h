// A tracer that keeps its spans for a test to look at.
#pragma once

#include <absl/strings/str_cat.h>
#include <pagewire/tracing.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/string_view.h"

namespace pagewire::admin {

struct RecordedSpan {
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  SpanContext parent;
  SpanContext context;
  std::map<std::string, std::string> attributes;
  std::vector<std::string> events;  // "name key=value key=value"
  std::string end;                  // the status; empty: not ended
  absl::Time began;
  absl::Time ended;
};

class RecordingTracer final : public Tracer {
 public:
  explicit RecordingTracer(uint64_t seed) : ids_(seed) {}

  // No spans from now on.
  void Stop() {
    base::MutexLock lock(mutex_);
    stopped_ = true;
  }

  std::unique_ptr<pagewire::Span> StartSpan(std::string_view name, const SpanContext& parent, SpanKind kind,
                                            absl::Time start) override {
    auto span = std::make_shared<RecordedSpan>();
    span->name = name;
    span->kind = kind;
    span->parent = parent;
    span->began = start;
    base::MutexLock lock(mutex_);
    if (stopped_) return nullptr;
    span->context = ids_.Below(parent);
    spans_.push_back(span);
    return std::make_unique<Recorder>(std::move(span));
  }

  // In the order in which they began. Once their calls' observers have been told of the end.
  std::vector<RecordedSpan> spans() {
    base::MutexLock lock(mutex_);
    std::vector<RecordedSpan> spans;
    for (const auto& span : spans_) spans.push_back(*span);
    return spans;
  }

 private:
  class Recorder final : public pagewire::Span {
   public:
    explicit Recorder(std::shared_ptr<RecordedSpan> span) : span_(std::move(span)) {}
    const SpanContext& context() const override { return span_->context; }
    void SetAttribute(std::string_view key, const SpanValue& value) override {
      span_->attributes[std::string(key)] = Text(value);
    }
    void AddEvent(std::string_view name, absl::Span<const SpanAttribute> attributes) override {
      std::string event(name);
      for (const SpanAttribute& attribute : attributes) {
        absl::StrAppend(&event, " ", base::ToAbsl(attribute.key), "=", Text(attribute.value));
      }
      span_->events.push_back(std::move(event));
    }
    void End(const absl::Status& status, absl::Time end) override {
      span_->end += status.ToString();
      span_->ended = end;
    }

   private:
    static std::string Text(const SpanValue& value) {
      if (const auto text = std::get_if<std::string_view>(&value)) return std::string(*text);
      if (const auto number = std::get_if<int64_t>(&value)) return std::to_string(*number);
      return "?";
    }
    const std::shared_ptr<RecordedSpan> span_;
  };

  SpanIds ids_;
  base::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<RecordedSpan>> spans_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::admin
