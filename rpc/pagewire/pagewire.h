// All of Pagewire's public API.
#pragma once

#include <pagewire/channel.h>
#include <pagewire/channel_options.h>
#include <pagewire/client_context.h>
#include <pagewire/client_stream.h>
#include <pagewire/credentials.h>
#include <pagewire/executor.h>
#include <pagewire/held_budget.h>
#include <pagewire/in_process.h>
#include <pagewire/log.h>
#include <pagewire/message_stream.h>
#include <pagewire/metadata.h>
#include <pagewire/method.h>
#include <pagewire/paths.h>
#include <pagewire/payload.h>
#include <pagewire/payload_buffer.h>
#include <pagewire/quarantine.h>
#include <pagewire/server.h>
#include <pagewire/server_builder.h>
#include <pagewire/server_context.h>
#include <pagewire/server_stream.h>
#include <pagewire/service.h>
#include <pagewire/transfer_report.h>
#include <pagewire/with_payload.h>
