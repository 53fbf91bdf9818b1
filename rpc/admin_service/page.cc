#include "admin_service/page.h"

#include <algorithm>

namespace pagewire::admin_service {

uint32_t LimitOf(const admin::v1::Page& page) {
  return page.limit() == 0 ? kDefaultLimit : std::min(page.limit(), kMaxLimit);
}

}  // namespace pagewire::admin_service
