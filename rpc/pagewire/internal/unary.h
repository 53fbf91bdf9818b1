// What the generated .pagewire.cc files call: both sides of a unary method.
#pragma once

#include <pagewire/internal/unary_client.h>
#include <pagewire/internal/unary_server.h>
