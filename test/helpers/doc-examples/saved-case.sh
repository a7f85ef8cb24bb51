checkpoint-wal explore --example case.json > /dev/null
# <block>
