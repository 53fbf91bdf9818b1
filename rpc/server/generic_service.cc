#include <pagewire/generic_service.h>
#include <pagewire/internal/service_methods.h>

#include "server/generic_method.h"

namespace pagewire {

using internal::AddBidiStreaming;
using internal::BlockingForm;
using internal::CallbackForm;

GenericService::GenericService() : Service(std::string(server::kGenericMethod.name)) {
  AddBidiStreaming<BlockingForm, GenericMessage, GenericMessage>(*this, server::kGenericMethod,
                                                                 &GenericService::Handle);
}

CallbackGenericService::CallbackGenericService() : Service(std::string(server::kGenericMethod.name)) {
  AddBidiStreaming<CallbackForm, GenericMessage, GenericMessage>(*this, server::kGenericMethod,
                                                                 &CallbackGenericService::Handle);
}

}  // namespace pagewire
