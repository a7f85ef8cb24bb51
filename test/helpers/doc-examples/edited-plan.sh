sed 's/ACTIVE /PAUSED /' orchestration/ORCHESTRATION.yaml > edited.yaml
# <block>
test "$(checkpoint-wal get 'phases[0].status')" = PAUSED
