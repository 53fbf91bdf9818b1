#include "payload/lending.h"

#include "payload/payload_rep.h"
#include "payload/span_owner.h"

namespace pagewire::memory {

bool InFiles(const Payload& payload) {
  const internal::PayloadRep* rep = internal::PayloadAccess::Rep(payload);
  for (size_t i = 0; i < payload.spans().size(); ++i) {
    if (rep->owner(i)->file() == nullptr) return false;
  }
  return payload.size() > 0;
}

bool TouchesFiles(const Payload& payload) {
  const internal::PayloadRep* rep = internal::PayloadAccess::Rep(payload);
  for (size_t i = 0; i < payload.spans().size(); ++i) {
    if (rep->owner(i)->file() != nullptr) return true;
  }
  return false;
}

bool Lendable(const Payload& payload) {
  const internal::PayloadRep* rep = internal::PayloadAccess::Rep(payload);
  for (size_t i = 0; i < payload.spans().size(); ++i) {
    if (!rep->owner(i)->lendable()) return false;
  }
  return true;
}

void GiveUpPages(const Payload& payload) {
  const internal::PayloadRep* rep = internal::PayloadAccess::Rep(payload);
  for (size_t i = 0; i < payload.spans().size(); ++i) rep->owner(i)->GiveUpPages();
}

}  // namespace pagewire::memory
