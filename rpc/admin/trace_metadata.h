// How a trace's context stands in metadata.
#pragma once

#include <pagewire/metadata.h>
#include <pagewire/tracing.h>

#include <string_view>

namespace pagewire::admin {

inline constexpr std::string_view kTraceparent = "traceparent";
inline constexpr std::string_view kTracestate = "tracestate";

// What the metadata says; not valid when it says nothing, or breaks the rules. A trace state of more than 512 bytes,
// the recommendation's limit for what must be handed on, is dropped.
SpanContext ReadTrace(const Metadata& metadata);

}  // namespace pagewire::admin
