// What the generated .pagewire.cc files call: both sides of all kinds of methods.
#pragma once

#include <pagewire/internal/stream_client.h>
#include <pagewire/internal/stream_server.h>
#include <pagewire/internal/unary_client.h>
#include <pagewire/internal/unary_server.h>
