// What the generated .pagewire.cc files call: both sides of all kinds of methods.
#pragma once

#include <pagewire/internal/service_methods.h>
#include <pagewire/internal/stream_client.h>
#include <pagewire/internal/unary_client.h>
