-- Has wrk send sixteen requests at once.
local batch
request = function()
  if batch == nil then
    local requests = {}
    for i = 1, 16 do requests[i] = wrk.format("GET", "/?" .. i) end
    batch = table.concat(requests)
  end
  return batch
end
